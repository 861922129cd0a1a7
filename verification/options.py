"""Options that several commands share."""

from collections.abc import Callable
from typing import Any

import click

from radixcheck.spec.policies import POLICIES

Decorator = Callable[[Any], Any]


def options(*names: str) -> Decorator:
    """The options that several commands share."""
    every = {
        "seed": click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="of the random choices"),
        "policy": click.option("--policy", "policies", multiple=True, help=f"{', '.join(POLICIES)} (repeatable)"),
        "page-size": click.option("--page-size", "page_sizes", type=int, multiple=True, help="tokens (repeatable)"),
        "pool": click.option("--pool", type=int, help="size of the slot pool, in tokens"),
        "device": click.option("--device", default="cpu", show_default=True, help="cpu, cuda or cuda:N"),
        "json": click.option("--json", "as_json", is_flag=True, help="print JSON for machines"),
    }

    def decorate(function: Any) -> Any:
        for name in reversed(names):
            function = every[name](function)
        return function

    return decorate
