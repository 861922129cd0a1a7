"""Streams of events that servers send of their caches: recorded, read, folded and judged. See its `README.md`."""
