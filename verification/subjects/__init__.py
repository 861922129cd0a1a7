"""Caches as subjects: each module wraps one in the protocol of `verification.protocol`."""
