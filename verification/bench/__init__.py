"""Measures the costs of caches side by side: ours, a minimal tree in Python, and widely used ones, each in a process of its own.

`bench_data` lists the caches and the scenarios. `plan` chooses the jobs, and `measure` starts a `worker` for each cache. A worker runs in
the interpreter of the caches, with only torch and the standard library: it runs the `scenarios` on a cache through one of the `drivers`.
`bench_results` holds the results: medians, spread and ratios. `plot` draws them.
"""
