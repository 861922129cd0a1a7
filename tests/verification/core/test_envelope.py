"""The envelope: the largest value of each quantity that a run reached."""

from dataclasses import fields

from radixcheck.verification.core.envelope import WORDS, Envelope, Reach


def test_a_merged_envelope_has_the_larger_value_of_each_quantity() -> None:
    actual = Envelope(operations=5, depth=2, token=2**40).merge(Envelope(operations=3, depth=4))

    assert actual == Envelope(operations=5, depth=4, token=2**40)


def test_an_empty_envelope_changes_nothing() -> None:
    some = Envelope(ticks=7, victims=1)

    assert Envelope().merge(some) == some.merge(Envelope()) == some


def test_every_quantity_is_in_words_and_in_json() -> None:
    names = [each.name for each in fields(Envelope)]

    assert list(WORDS) == names
    assert list(Envelope().to_json()) == names
    assert dict(Envelope(slot=9).in_words())["largest slot"] == 9


def test_a_reach_says_what_was_reached_and_why_not_more() -> None:
    assert Reach(9, 9, "ticks").sentence == "9 ticks"
    assert Reach(12_000, 65_537, "ticks", "the cache is too slow").sentence == "not reached: 12,000 of 65,537 ticks (the cache is too slow)"
    assert Reach(0, 9, "ticks", "it needs namespaces").sentence == "it needs namespaces"
    assert Reach(255, 300, "hits", refuted=True).sentence == "refuted at 255 hits"
    assert Reach(9, 9, "ticks").to_json()["sentence"] == "9 ticks"
