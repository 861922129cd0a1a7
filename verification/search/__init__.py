"""Looking for a wrong step: generators of operations, drivers and shrinking."""
