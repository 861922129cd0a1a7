"""Proofs that the specification keeps its own promises, by Z3, and refutations that are replayed in Python.

`laws` says what is assumed (the order of prefixes, finite sums), `z3_reader` gives formulas of the specification to Z3,
`conditions` says what is to be shown, `decide` whether it is PROVED, REFUTED or UNKNOWN (never a pass), `replay` makes
a state of a model. `matrix` lists all that is decided (`steps`: what each step is for; `claims`: what reviewers asked;
`trust`: that nothing is proved of nothing), `campaign` decides it, `models` and `runs` show what was refuted. `smtlib` and
`second_solver` ask another solver, `mutation` changes the specification to see the proofs notice. What is not covered: the
proofs speak of the transitions of the specification; a cache is tied to those by running it.
"""
