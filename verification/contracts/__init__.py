"""Contracts on the pure functions of the caches, each decided by CrossHair for all inputs within stated bounds.

`contract` defines a contract and `small` builds small inputs from integers. The contracts are in `page_contracts`, `key_contracts`,
`tree_contracts`, `node_contracts`, `order_contracts` and `heap_contracts`. `crosshair_run` runs CrossHair on one contract, `gate` turns its
answers into a verdict, and `run_contracts` decides them all. A contract calls the function that the cache itself calls, and has a *twin*: a
wrong function that the same contract must refute.

Not covered: inputs beyond the bounds, and state across calls, which the checker of runs covers.
"""
