"""Caches in other processes, in any environment or language: a crash or a hang cannot harm the checker. README.md has the protocol."""
