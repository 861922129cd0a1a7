"""Mutates the transitions of the specification, and checks that the proofs notice each mutant.

A mutant lacks one conjunct of a guard, one update, or one conjunct of the set that an update changes; or it changes an integer by one
instead of updating it. The verdict on a mutant is:

    CAUGHT       there is a state in which all state formulas and the guard of the mutant hold, and after which a formula fails that is
                 proved of the original
    EQUIVALENT   it is proved, without bounds, that the original can take the same step, and leaves the same values wherever a function
                 is defined
    SURVIVED     neither was found

`generate_mutants` makes the mutants, `proved_formulas` lists what is proved of a step, `bounded_states` searches for a state that catches
a mutant, `equivalence` searches for a proof, and `judge_mutants` decides all mutants in worker processes.
"""
