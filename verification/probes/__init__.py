"""Probes: fixed operations on a fresh subject, which show by counting what random runs do not reach. Nothing is measured by a clock."""
