"""What a cache with a host tier may do otherwise than `spec/host/host_operations.py` says. By default it may do none of it.

None of it breaks a formula of `spec/host/`: the same steps are taken, or one more that is proved (`drop_host`), at other times.
"""

DROPS = "host copies dropped"  # write_back: for room on the host, nodes that the device has leave the host, before any leaf does
IN_VAIN = "host evictions in vain"  # for a copy, it evicts what it can on the host, although that is not enough
WHOLE = "host evictions of a whole copy"  # for a copy that does not fit, it evicts as much as the copy has, not what is missing
COPIES = "copies to the host"  # write-through: which nodes are copied to the host, and in which calls
SPLIT_TIMES = "times of a split"  # see `splitting_machine.py`
