"""The drivers, one per cache: each calls the cache as its engine does."""
