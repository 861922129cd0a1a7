"""Campaigns: long checks of one subject, in shards that any number of processes or machines perform, with the same result."""
