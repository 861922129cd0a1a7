"""What a person sees: pictures of trees, tables, and the same as JSON."""
