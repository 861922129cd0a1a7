"""Positions: the prefixes of a long path share it, and are the same as those that were built alone."""

from itertools import pairwise

from radixcheck.spec.run.positions import SHARED_FROM, Positions
from radixcheck.spec.values import Key

LONG = Key(tuple(range(3 * SHARED_FROM)))


def test_the_prefixes_of_a_long_path_are_those_of_short_ones() -> None:
    shared, alone = Positions(1), Positions(1)
    ends = [alone.of(Key(LONG.tokens[: n + 1])) for n in range(len(LONG.tokens))]
    for end in ends:
        alone.path(end)  # each is built from the one before

    assert shared.path(shared.of(LONG)) == alone.path(ends[-1])
    for low, end in pairwise(ends):
        assert shared.path(end) == alone.path(end)
        assert tuple(shared.ancestors[end]) == tuple(alone.ancestors[end])
        assert len(shared.ancestors[end]) == shared.level[end] + 1
        assert shared.ancestors[end][-1] == end
        assert shared.ancestors[end][:-1] == alone.ancestors[end][:-1]
        assert shared.between(low, end) == alone.between(low, end) == (end,)
        assert shared.le(low, end)
        assert not shared.le(end, low)


def test_a_branch_from_a_shared_prefix_has_its_own_path() -> None:
    table = Positions(1)
    table.path(table.of(LONG))
    branch = table.of(Key((*LONG.tokens[:100], 7, 7)))

    assert table.tokens(branch) == (*LONG.tokens[:100], 7, 7)
    assert not table.le(branch, table.of(LONG))


def test_a_long_key_is_found_again_after_many_others() -> None:
    table = Positions(1)
    first = table.of(LONG)
    for n in range(20):
        table.of(Key((n, *LONG.tokens)))

    assert table.of(LONG) == first
