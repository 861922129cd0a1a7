"""Events: what a cache reports of the pages that it stores and gives up, and the fold of them. See its `README.md`."""
