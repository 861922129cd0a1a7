"""How much more a larger input may cost."""

FACTOR = 4  # between the sizes of two inputs
COST_MAX = 8  # times the lines allowed at FACTOR times the size: twice the linear growth


def too_steep(name: str, lines: tuple[int, int], size: int, unit: str) -> str:
    """Return the text of the violation if the lines of a call grow more than twice as fast as its input; empty if they do not.

    `lines`: for an input of `size`, in `unit`, and for one FACTOR times as large.
    """
    few, many = lines
    if many <= COST_MAX * few:
        return ""
    return f"{name}: {many} lines for {FACTOR * size} {unit}, {few} for {size}: more than {COST_MAX} times as many"


def depends(name: str, lines: tuple[int, int], size: int, unit: str) -> str:
    """Return the text of the violation if the lines depend on a number of things that they may not depend on; empty if they do not.

    They may grow as a logarithm does: by at most a line for two more things, or by at most a quarter. `lines`: as above.
    """
    few, many = lines
    more = many - few
    if more <= (FACTOR - 1) * size / 2 or more <= few / 4:
        return ""
    return f"{name}: {many} lines among {FACTOR * size} {unit}, {few} among {size}"
