"""The specification, run: positions as integers, states as dictionaries, formulas and transitions as compiled Python, and the model.

Nothing here needs more than the standard library.
"""
