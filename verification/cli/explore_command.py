"""`radixcheck explore`."""

from collections.abc import Sequence
from typing import Any

import click

from radixcheck.verification.cli.command import Command
from radixcheck.verification.cli.options import Seconds, command_deadline, one_subject, options
from radixcheck.verification.cli.output import print_json_of_each, subject_output
from radixcheck.verification.core.status import Status, worst
from radixcheck.verification.report import console
from radixcheck.verification.search.search_results import CEILING_SECONDS
from radixcheck.verification.subjects.registry import names_of, resolve


@click.command(cls=Command)
@one_subject(click.argument("subject", required=False))
@click.option("--scope", "scopes", multiple=True, help="tree or requests (repeatable); default: both")
@options("policy", "page-size")
@click.option("--cores", type=click.IntRange(1), default=2, show_default=True, help="worker processes")
@click.option("--limit", type=click.IntRange(1), help="give up an exploration after this many states")
@click.option("--seconds", type=Seconds(0.5), default=600, show_default=True, help="give up after this time")
@options("json")
def explore(
    subject: str, scopes: Sequence[str], policies: Sequence[str], page_sizes: Sequence[int], as_json: bool, seconds: float, **effort: Any
) -> int:
    """Visit every state of SUBJECT (default: optimized) within small bounds, breadth first: the first fault has the shortest trace.

    By default: policy lru, pages of 1 and 2 tokens.
    """
    from radixcheck.verification.runs.checked_bounds import check_choices

    check_choices(policies, page_sizes)
    statuses, outputs = list[Status](), []
    names, ceiling = names_of(subject), command_deadline(seconds)
    with subject_output():
        caches = [resolve(name) for name in names]

    from radixcheck.verification.report import explore_view
    from radixcheck.verification.runs.explore_job import explore_request, explore_subject

    for i, cache in enumerate(caches):
        share = max(0.0, ceiling.left - CEILING_SECONDS) / (len(caches) - i)
        with subject_output(), console.live(f"explore {cache.name}") as show:
            request = explore_request(cache, scopes, policies, page_sizes, seconds=share, **effort)
            outcome = explore_subject(request, lambda so_far: show(explore_view.table(so_far)))
        statuses.append(outcome.status)
        outputs.append(outcome.to_json())
        if not as_json:
            console.show(explore_view.explore(outcome))
    if as_json:
        print_json_of_each(outputs)
    return worst(statuses)
