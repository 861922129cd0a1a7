"""What `radixcheck verify` is about to do, in one sentence."""

from rich.text import Text

from radixcheck.verification.search.search_results import Bounds

LATEST_SECONDS = 30.0  # after `--seconds`: then the command has ended


def plan(subject: str, bounds: Bounds) -> Text:
    """Return the size of the search, what comes after it, and by when all of it ends."""
    where = f"{_counted(bounds.policies, 'policy', 'policies')} and {_counted(bounds.page_sizes, 'page size', 'page sizes')}"
    host = f", with and without a host tier ({', '.join(bounds.modes)})" if bounds.modes else ""
    stretched = "; counts and values past thresholds" if bounds.stretch else ""
    rest = "if nothing is refuted, a comparison with the reference and a replay"
    ends = f"ends within {bounds.seconds + LATEST_SECONDS:,.0f} s"
    return Text(f"verify {subject}: {bounds.operations:,} random operations under {where}{host}{stretched}; {rest}; {ends}")


def _counted(values: tuple[object, ...], one: str, more: str) -> str:
    """Return a single value, or how many there are.

    >>> _counted(("lru",), "policy", "policies"), _counted((1, 2), "page size", "page sizes")
    ('policy lru', '2 page sizes')
    """
    return f"{one} {values[0]}" if len(values) == 1 else f"{len(values)} {more}"
