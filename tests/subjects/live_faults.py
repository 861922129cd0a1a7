"""Faults of a live cache, as subjects that a trace of it is replayed on."""

from dataclasses import replace

from radixcheck.verification.protocol import Setup
from radixcheck.verification.subjects.optimized_subject import OptimizedSubject, optimized_subject


def evicts_the_newest(setup: Setup) -> OptimizedSubject:
    """Whatever the policy, it evicts as under mru."""
    return optimized_subject(replace(setup, policy="mru"))
