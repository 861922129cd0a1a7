"""The types and helpers that every room of the checker shares. Nothing here imports another room."""
