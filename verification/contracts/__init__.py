"""Contracts on the pure functions of the caches, each decided by CrossHair for all inputs within stated bounds.

`contract` defines a contract and `small` builds small inputs from integers. The contracts are in `key_contracts`, `node_contracts` and
`tree_contracts`. `run_contracts` runs CrossHair on each of them and turns its answer into a verdict. A contract calls the function that
the cache itself calls, and has a *twin*: a wrong function that the same contract must refute.

Not covered: inputs beyond the bounds, and state across calls, which the checker of runs covers.
"""
