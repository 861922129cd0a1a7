"""The most direct of several broken properties comes first, and a peek that changes a cache is named, also of a black box."""

from hiding import BLACK_BOX, Hiding

from radixcheck.spec.values import Key
from radixcheck.verification.core.found import Config, Found
from radixcheck.verification.core.subject import Factory
from radixcheck.verification.mutants.all_mutants import MUTANTS
from radixcheck.verification.operations import Op, Trace
from radixcheck.verification.search.attribution import attributed
from radixcheck.verification.search.run import replay
from radixcheck.verification.subjects.reference_subject import ReferenceSubject

CONFIG = Config("lru", 1, 8)
A, B = Key((1,)), Key((2,))
TRACE = (Op("insert", A), Op("insert", B), Op("peek", A), Op("evict", amount=1))


def hidden(factory: Factory) -> Factory:
    return lambda setup: Hiding(factory(setup), BLACK_BOX)


class Impure(ReferenceSubject):
    """Looks like a match."""

    def peek(self, key: Key) -> int:
        return self.match(key).length


def broken(factory: Factory, trace: Trace) -> list[Found]:
    return list(replay(factory, CONFIG, trace).found.values())


def named(factory: Factory, trace: Trace) -> list[tuple[str, str]]:
    return [(f.violation.property, f.violation.follows_from) for f in attributed(factory, broken(factory, trace))]


def test_a_peek_that_changes_a_black_box_is_named() -> None:
    black = hidden(Impure.of)
    assert [f.violation.property for f in broken(black, TRACE)] == ["ORDER"]
    assert named(black, TRACE) == [("PEEK_PURE", ""), ("ORDER", "PEEK_PURE")]
    found = attributed(black, broken(black, TRACE))[0]
    assert "without it the last operation does not break ORDER" in found.violation.text
    assert found.trace[found.wrong - 1].name == "peek"


def test_a_peek_is_not_named_where_the_fault_does_not_need_it() -> None:
    class Wrong(ReferenceSubject):
        def evict(self, tokens: int) -> int:
            return super().evict(tokens) + 1

    assert named(hidden(Wrong.of), TRACE) == [("EVICT_EXACT", "")]


def test_what_follows_in_the_same_operation_names_the_most_direct() -> None:
    assert named(Impure.of, TRACE[:3]) == [("PEEK_PURE", ""), ("RECENCY", "PEEK_PURE")]
    evicting = (Op("insert", A), Op("insert", Key((1, 2))), Op("evict", amount=1))
    first, *rest = named(MUTANTS["evict_internal"].factory, evicting)
    assert first == ("EVICT_LEAF", "")
    assert rest
    assert {cause for _, cause in rest} == {"EVICT_LEAF"}


def test_what_is_broken_earlier_is_the_cause_of_what_is_broken_later() -> None:
    trace = (Op("insert", A), Op("insert", B), Op("match", A), Op("evict", amount=1))
    assert named(MUTANTS["match_forgets_touch"].factory, trace) == [("RECENCY", "")]  # the run goes on from the times that it shows
