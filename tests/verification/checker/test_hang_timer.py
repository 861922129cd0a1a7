"""A call that does not return is given up, whatever it does; one that returns never is."""

import threading
from collections.abc import Callable

import pytest

from radixcheck.spec.values import Key, Match
from radixcheck.verification.checker.hang_timer import HANG_TIMER, CallHung
from radixcheck.verification.core.found import Config
from radixcheck.verification.core.timeouts import Timeout
from radixcheck.verification.operations import Op
from radixcheck.verification.protocol import Observation
from radixcheck.verification.search.run import new_checker
from radixcheck.verification.subjects.reference_subject import ReferenceSubject

SOON = 0.2  # seconds
INSERT = Op("insert", Key((1, 1)))


def loops() -> None:
    while True:
        pass


def waits_for_itself() -> None:
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()


def goes_on_whatever_happens() -> None:
    while True:
        try:
            loops()
        except Exception:
            continue


@pytest.mark.parametrize("call", [loops, waits_for_itself, goes_on_whatever_happens])
def test_a_call_that_does_not_return_is_given_up(call: Callable[[], None]) -> None:
    with pytest.raises(CallHung):
        HANG_TIMER.call(Timeout(SOON), call)


def test_the_next_one_is_waited_for_half_as_long() -> None:
    timeout = Timeout(1.2)
    with pytest.raises(CallHung):
        HANG_TIMER.call(timeout, loops)
    assert timeout.seconds == 0.6


def test_a_call_that_returns_or_raises_is_let_alone() -> None:
    assert HANG_TIMER.call(Timeout(SOON), divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        HANG_TIMER.call(Timeout(SOON), divmod, 7, 0)


def test_what_is_done_between_two_calls_may_take_its_time() -> None:
    HANG_TIMER.call(Timeout(0.01), divmod, 7, 2)
    assert not threading.Event().wait(5 * SOON)


def test_a_call_in_another_thread_is_not_watched_and_disturbs_no_other() -> None:
    found: list[bool] = []
    other = threading.Thread(target=lambda: found.append(HANG_TIMER.call(Timeout(0.01), threading.Event().wait, 3 * SOON)))
    other.start()
    other.join()

    assert found == [False]


class MatchLoops(ReferenceSubject):
    def match(self, key: Key) -> Match[list[int]]:
        while len(key.tokens) > self.page_size:
            pass
        return super().match(key)


class ObserveLoops(ReferenceSubject):
    def observe(self) -> Observation:
        while self.root.children:
            pass
        return super().observe()


@pytest.mark.parametrize(
    ("subject", "trace", "words"),
    [
        (MatchLoops, [INSERT, Op("match", Key((1,))), Op("match", Key((1, 1)))], "raised TimeoutError: it did not return"),
        (ObserveLoops, [INSERT], "observe() raised TimeoutError: it did not return"),
    ],
)
def test_a_cache_that_hangs_is_refuted_by_the_call_that_hangs(subject: type[ReferenceSubject], trace: list[Op], words: str) -> None:
    checker = new_checker(subject.of, Config("lru", 1, 8), stride=1)
    HANG_TIMER.timeout(checker.engine.subject).seconds = SOON

    *right, wrong = [checker.step(op) for op in trace]

    assert right == [[]] * len(right)
    assert [violation.property for violation in wrong] == ["REFINEMENT"]
    assert words in wrong[0].text
    assert checker.stopped
