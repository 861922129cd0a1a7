"""What caches cost, side by side: ours, the least that Python can do, and those that people run, each in a process of its own.

`worker` runs in the interpreter of the caches, with torch and the standard library alone, and performs the `scenarios` on one of the
`caches`; `campaign` starts the workers in turn; `figures` are medians, spread and ratios; `plan` says what is measured.
"""
