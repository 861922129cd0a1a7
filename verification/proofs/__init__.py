"""Proves by Z3 that the specification keeps its own promises, and refutes wrong claims by states that are run in Python.

    assumptions          `laws`: the prefix order, finite sums, finite trees
    conditions           `conditions`: one formula and one transition; `matrix` lists all of them
                         `step_postconditions`: what each transition does; `promise_chains`, `promises`: what a call promises along its
                         steps
                         `host_conditions`, `host_step_postconditions`, `host_promises`: the same of a cache with a host tier;
                         `tier_reading`: formulas read of one tier
                         `early_locks`, `early_refinement`: locks that stop at the first protected ancestor
                         `claim`: a sentence that a caller of `matrix` adds; `variants`: transitions that claims and mutants change
    deciding             `z3_reader` translates formulas to Z3; `decide`: PROVED, REFUTED or UNKNOWN (never a pass); `refute`,
                         `model_run`: a counterexample is a state on which the transition was run; `models` shows it
    reasons for trust    `trust`: no proof is vacuous; `smtlib`, `second_solver`: a second solver, with an independent translation;
                         `spec_mutants`: the proofs notice every change of the specification
    results              `prove` decides all conditions in worker processes; `proof_results` has the types of the results

Not covered: the proofs are about the transitions of the specification. Running a cache under the checker connects it to them.
"""
