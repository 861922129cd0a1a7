"""Proofs that the specification keeps its own promises, by Z3, and refutations that are replayed in Python.

    what is assumed      `laws`: the order of prefixes, finite sums, finite trees
    what is shown        `conditions`: one formula, one step; `matrix` lists them all
                         `steps`: what each step is for; `operations`, `promises`: what a call promises, along its chain of steps
                         `early_locks`, `early_refinement`: locks that stop early; `claim`: a sentence that a caller of
                         `matrix` adds; `variants`: steps that claims and mutants change
    whether it holds     `z3_reader` gives formulas to Z3; `decide`: PROVED, REFUTED or UNKNOWN (never a pass); `refute`, `replay`:
                         a counterexample is a state on which the step was run; `models` shows it
    why to believe it    `trust`: nothing is proved of nothing; `smtlib`, `second_solver`: another solver, from a text of our own;
                         `mutation`: the proofs notice a change of the specification
    all of it            `campaign`, which the command `prove` runs

What is not covered: the proofs speak of the transitions of the specification; a cache is tied to those by running it.
"""
