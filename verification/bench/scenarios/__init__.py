"""The scenarios. Each drives one cache, times its calls, and checks that the cache has done the work."""
