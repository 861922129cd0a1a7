"""Contracts on the pure functions of the caches, each decided by CrossHair for all inputs within stated bounds.

`contract` says what a contract is, `small` makes small inputs of integers, the other files hold the contracts: `pages`,
`keys`, `trees`, `orders`. `explore` runs CrossHair on one, `gate` says what its answers are worth, `campaign` decides them all.
A contract calls the function that the cache itself calls, and has a *twin*: a wrong function that the same contract must refute.

What is not covered: inputs beyond the bounds, and state across calls, which the checker of runs looks at.
"""
