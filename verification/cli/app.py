"""The command line: the group of commands, and how errors end. The exit status is a `Status`."""

import os
import sys
import warnings
from collections.abc import Sequence
from contextlib import suppress
from errno import EBADF, EFBIG, EIO, ENOSPC
from io import TextIOWrapper

import click

from radixcheck.verification.cli.bench_command import bench
from radixcheck.verification.cli.campaign_command import campaign
from radixcheck.verification.cli.contracts_command import contracts
from radixcheck.verification.cli.diff_command import diff
from radixcheck.verification.cli.doctor_command import doctor
from radixcheck.verification.cli.explore_command import explore
from radixcheck.verification.cli.facts_command import facts
from radixcheck.verification.cli.findings_command import findings
from radixcheck.verification.cli.invariants_command import invariants
from radixcheck.verification.cli.live_command import live
from radixcheck.verification.cli.mutants_command import mutants
from radixcheck.verification.cli.prove_command import prove
from radixcheck.verification.cli.questions_command import questions
from radixcheck.verification.cli.record_command import record
from radixcheck.verification.cli.replay_command import replay
from radixcheck.verification.cli.report_command import report
from radixcheck.verification.cli.show_command import show
from radixcheck.verification.cli.subjects_command import subjects
from radixcheck.verification.cli.verify_command import verify
from radixcheck.verification.cli.watch_command import watch
from radixcheck.verification.core.printable import printable
from radixcheck.verification.core.status import Status
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.core.workers import WorkerLost

SENTENCE_MAX = 4_000  # characters
UNWRITTEN = {EBADF, EFBIG, EIO, ENOSPC}  # errors of standard output


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="radixcheck")
def cli() -> None:
    """Decides whether a radix (prefix) KV cache is correct, with evidence."""


for command in (
    *(verify, replay, record, diff, explore, show, subjects, invariants, report, questions, bench),
    *(campaign, prove, contracts, mutants, facts, findings, doctor, live, watch),
):
    cli.add_command(command)


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit status."""
    warnings.filterwarnings("ignore", message="Failed to initialize NumPy")  # raised by torch; nothing here uses NumPy
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # the encoding may lack the lines of a tree
    try:
        result = cli.main(list(arguments), prog_name="radixcheck", standalone_mode=False)
        return _written(result if isinstance(result, int) else 0)
    except click.exceptions.Exit as leave:
        return int(leave.exit_code)
    except click.ClickException as wrong:
        wrong.show()
        return Status.WRONG_USE
    except UsageError as wrong:
        print(f"radixcheck: {printable(str(wrong), SENTENCE_MAX)}", file=sys.stderr)
        return Status.WRONG_USE
    except WorkerLost as lost:  # `verify` finds such a fault and shrinks it; other commands only say where it is
        print(f"radixcheck: {lost.where}: {lost}; nothing was decided: see `radixcheck verify`", file=sys.stderr)
        return Status.UNDECIDED
    except OSError as error:  # of standard output: an error of a named file is a UsageError
        what = "the result cannot be written" if error.errno in UNWRITTEN else "the system refused a call; nothing was decided"
        with suppress(OSError):  # standard error may be full too
            print(f"radixcheck: {what}: {error.strerror}", file=sys.stderr)
        _discard_output()
        return Status.UNDECIDED
    except SystemExit:  # of click after a broken pipe, or of a subject, whose exit status has no meaning here
        print("radixcheck: interrupted before the result was printed; nothing was decided", file=sys.stderr)
        _discard_output()
        return Status.UNDECIDED
    except MemoryError:
        print("radixcheck: out of memory; nothing was decided: give a smaller --pool or smaller pages", file=sys.stderr)
        return Status.UNDECIDED
    except (KeyboardInterrupt, click.Abort):
        print("radixcheck: interrupted; nothing was decided", file=sys.stderr)
        return Status.UNDECIDED


def _written(status: int) -> int:
    """Return the status once standard output is written; UNDECIDED if there is none to write to. Raise OSError if it cannot be written."""
    if sys.stdout is None or sys.stdout.closed:
        print("radixcheck: standard output is closed; give one, to which the result is written", file=sys.stderr)
        return Status.UNDECIDED
    sys.stdout.flush()
    return status


def _discard_output() -> None:
    """Discard buffered output, which the interpreter would try to write again, and fail, at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
