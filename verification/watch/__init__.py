"""The watch: checks the cache of a live server at each call, on the path that the call touched, in a bounded time."""
