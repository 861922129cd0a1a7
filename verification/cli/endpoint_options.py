"""Options of the commands that read what a live server sends."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from radixcheck.verification.event_streams.live_source import Endpoint
from radixcheck.verification.runs.events_job import endpoint

OF_ENDPOINTS = ("replay_endpoint", "topic", "bind")


def endpoint_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of a live server; the function takes `endpoint_of`, which makes an `Endpoint` of an address."""

    @click.option("--replay-endpoint", help="the address of the server's replay socket: what was missed is requested there")
    @click.option("--topic", default="", help="read only topics that begin so")
    @click.option("--bind", is_flag=True, help="wait at the address for a server that connects to it")
    @wraps(function)
    def with_endpoint(*, replay_endpoint: str | None, topic: str, bind: bool, **others: Any) -> Any:
        def endpoint_of(address: str) -> Endpoint:
            return endpoint(address, replay_endpoint, topic, bind)

        return function(endpoint_of=endpoint_of, **others)

    return with_endpoint
