"""Looking for a wrong step: generators of operations, drivers, shrinking, and the probes of cost and storage."""
