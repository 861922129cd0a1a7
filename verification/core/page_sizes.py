"""Page sizes: those that a search draws from, and how many of them are written."""

from collections.abc import Iterable, Sequence

LARGEST = 4096  # tokens, of the caches of this project
EVERY = range(1, LARGEST + 1)
# Small ones, powers of two, and others: a shift or a mask instead of a division is right for powers of two only.
DRAWN = (1, 2, 3, 4, 5, 8, 16, 32, 64, 100, 128, 256)
RUN_MIN = 3  # neighbours from which on the first and the last of them are written


def drawn_from(*supported: Sequence[int]) -> tuple[int, ...]:
    """Return the page sizes of a search of subjects that support these: of `DRAWN` those that all support.

    If there is none, the first ones that all of them support, at most as many as `DRAWN` has.

    >>> drawn_from(range(1, 9)), drawn_from((7,)), drawn_from((7, 9), range(8, 99))
    ((1, 2, 3, 4, 5, 8), (7,), (9,))
    """
    shortest = min(supported, key=len)
    shared = [size for size in DRAWN if all(size in sizes for sizes in supported)]
    return tuple(shared or [size for size in shortest if all(size in sizes for sizes in supported)][: len(DRAWN)])


def sizes_text(sizes: Iterable[int]) -> str:
    """Return page sizes for a reader, with runs of neighbours written as their ends.

    >>> sizes_text(range(1, 4097)), sizes_text((1, 2, 16, 64)), sizes_text((1, 2, 3, 7))
    ('1 to 4096', '1, 2, 16, 64', '1 to 3, 7')
    """
    runs: list[list[int]] = []
    for size in sorted(sizes):
        if runs and size == runs[-1][-1] + 1:
            runs[-1].append(size)
        else:
            runs.append([size])
    parts = ([f"{run[0]} to {run[-1]}"] if len(run) >= RUN_MIN else map(str, run) for run in runs)
    return ", ".join(part for listed in parts for part in listed)
