"""Runs the specification: positions as integers, states as dictionaries, terms as compiled Python, the machine, and the model."""
