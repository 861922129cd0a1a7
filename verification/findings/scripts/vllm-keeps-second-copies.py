"""vLLM: two requests that compute the same keep both copies; the second stays in the cache, where nobody finds it."""
