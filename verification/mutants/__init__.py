"""The mutants: deliberately wrong caches, each of which the catalogue must catch by the property that it was made for.

Every mutant overrides one operation, or one step of an operation, of a correct cache; correct code does not know of them. Two are caches
of the past, with the faults that they had. A check that passes its own mutant checks nothing.
"""
