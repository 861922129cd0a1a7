"""The commands: what each does, in one line, how it ends, and the module that has it. The help of the program needs no more than that."""

from collections.abc import Mapping
from typing import NamedTuple


class Entry(NamedTuple):
    """One command. It has its name in its module."""

    module: str
    summary: str  # whole on one line of 80 columns
    statuses: Mapping[int, str]  # what its exit statuses mean; 2 is wrong use, if it is not named here


WRONG_USE = "wrong use; one sentence says what is wrong"
CHECKING = {
    "init": Entry(
        "radixcheck.verification.cli.init_command", "Write an adapter and a test for a cache of your own.", {0: "the files are written"}
    ),
    "verify": Entry(
        "radixcheck.verification.cli.verify_command",
        "Check a cache against the specification.",
        {
            0: "it holds: no property is refuted, and each was exercised, unless the cache does not show what it needs",
            1: "it is refuted: a property has a counterexample",
            3: "undecided: a property was never exercised, or the time was over",
        },
    ),
    "diff": Entry(
        "radixcheck.verification.cli.diff_command",
        "Compare two caches, call by call.",
        {
            0: "they agree, but for what one of them declares (`choices` in what it supports)",
            1: "they differ in something that neither declares",
            3: "undecided: nothing was compared, or the comparison was cut off",
        },
    ),
    "explore": Entry(
        "radixcheck.verification.cli.explore_command",
        "Visit every state of a cache within small bounds.",
        {
            0: "it holds: every state within the bounds was visited",
            1: "it is refuted: a property has a counterexample, as short as any",
            3: "undecided: not all states were visited",
        },
    ),
    "campaign": Entry(
        "radixcheck.verification.cli.campaign_command",
        "Check a cache for long, on processes or on Ray.",
        {
            0: "it holds: every planned shard was performed, and no property is refuted",
            1: "it is refuted: a property has a counterexample",
            3: "undecided, also because shards are missing",
        },
    ),
    "replay": Entry(
        "radixcheck.verification.cli.replay_command",
        "Replay a trace, or the events of a server, and check it.",
        {
            0: "it holds to the end of the trace",
            1: "it is refuted: a property is broken, or slots have leaked",
            2: "wrong use, or a line that cannot be read; what was before it has been replayed",
            3: "undecided: something is missing that is needed to judge",
        },
    ),
    "show": Entry(
        "radixcheck.verification.cli.show_command",
        "Draw a trace: the tree, the heap and what breaks.",
        {0: "no property breaks", 1: "a property breaks, in any step"},
    ),
    "subjects": Entry(
        "radixcheck.verification.cli.subjects_command", "List the caches that can be named.", {0: "they are listed, installed or not"}
    ),
}
BELIEVING = {
    "invariants": Entry("radixcheck.verification.cli.invariants_command", "List every property, with its formula.", {0: "they are listed"}),
    "claims": Entry("radixcheck.verification.cli.claims_command", "List what is claimed, each with its command.", {0: "they are listed"}),
    "prove": Entry(
        "radixcheck.verification.cli.prove_command",
        "Prove every formula under every transition.",
        {
            0: "all is as expected: formulas are proved, wrong claims refuted",
            1: "something is not",
            3: "undecided; with --mutate: a change went unnoticed",
        },
    ),
    "contracts": Entry(
        "radixcheck.verification.cli.contracts_command",
        "Check pure functions for all inputs within bounds.",
        {0: "each contract is kept, and its wrong twin refuted", 1: "a contract is broken", 3: "one of these is undecided"},
    ),
    "mutants": Entry(
        "radixcheck.verification.cli.mutants_command",
        "Run wrong caches, each of which must be caught.",
        {
            0: "each is caught by its own property and detector; with --clean: no false positive",
            1: "one survived, or was caught otherwise; with --clean: a false positive; with --seeds: too few find one",
            3: "undecided: a search was cut off",
        },
    ),
}
REVIEWING = {
    "report": Entry(
        "radixcheck.verification.cli.report_command",
        "Answer its questions with evidence, as one page.",
        {
            0: "the cache under review holds (default: optimized), whatever the historical ones do",
            1: "it is refuted, evidence contradicts an answer, or a mutant was not caught as it must be",
            3: "one of these is undecided",
        },
    ),
    "questions": Entry(
        "radixcheck.verification.cli.questions_command",
        "List its questions, with the verdicts so far.",
        {0: "they are listed, whatever the verdicts are"},
    ),
    "facts": Entry(
        "radixcheck.verification.cli.facts_command",
        "Try its claims that no property decides.",
        {0: "each verdict is as expected", 1: "one is not", 3: "a claim was never exercised"},
    ),
    "findings": Entry(
        "radixcheck.verification.cli.findings_command",
        "Repeat what was found in caches of other projects.",
        {0: "each finding was reproduced", 1: "one was not", 3: "one could not be run here"},
    ),
    "bench": Entry(
        "radixcheck.verification.cli.bench_command",
        "Measure our cache beside all that are installed.",
        {0: "each cache did the measured work", 3: "one died, hung, or did not do it"},
    ),
}
SERVING = {
    "doctor": Entry(
        "radixcheck.verification.cli.doctor_command",
        "Say whether an SGLang can serve with our cache.",
        {0: "it is ready", 1: "a part is there and does not fit", 3: "a part is missing, or did not answer"},
    ),
    "live": Entry(
        "radixcheck.verification.cli.live_command",
        "Serve with live engines, and compare their caches.",
        {
            0: "the caches are right, and the wrong ones were caught; or all was measured",
            1: "a cache is refuted, or a wrong one was not caught",
            3: "an engine did not run to its end for another reason, events are missing, or there are too few repetitions to compare",
        },
    ),
    "watch": Entry(
        "radixcheck.verification.cli.watch_command",
        "Check each call of the cache while a server runs.",
        {0: "no finding", 1: "a finding", 3: "nothing was watched, the watch itself failed, or COMMAND did"},
    ),
    "record": Entry(
        "radixcheck.verification.cli.record_command",
        "Write the KV events of a live server into a file.",
        {0: "every batch is in the file", 3: "batches are missing, or none came"},
    ),
}
SECTIONS = {
    "Check a cache": CHECKING,
    "What is checked, and why to believe it": BELIEVING,
    "The review of sglang#6907": REVIEWING,
    "Live engines": SERVING,
}
COMMANDS = {name: entry for section in SECTIONS.values() for name, entry in section.items()}
ALWAYS = {2: WRONG_USE, 3: "nothing was decided: interrupted, or the result could not be written"}
EVERYWHERE = {0: "it holds", 1: "it is refuted", 2: WRONG_USE, 3: "nothing was decided"}


def statuses(name: str) -> dict[int, str]:
    """Return the exit statuses of a command, in order, each with its meaning."""
    return dict(sorted((ALWAYS | dict(COMMANDS[name].statuses)).items()))
