"""What `radixcheck init` writes: adapters for three styles of caches, each on a tiny example of its style, and a test."""
