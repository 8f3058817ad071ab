"""Observing requests to services: how they end, in words that name no host."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

from arcrun_server.engine import ComponentError
from arcrun_server.engine.policy import TIMEOUT
from arcrun_server.engine.shorten import redacted

from .errors import Unreachable
from .streams import shown_host

if TYPE_CHECKING:
    from collections.abc import Iterator

    from arcrun_server.telemetry.telemetry import Outgoing, Telemetry


@contextmanager
def observed(telemetry: Telemetry, method: str, url: str) -> Iterator[Outgoing]:
    """Observe a request for the length of the block.

    Args:
        telemetry: Records it.
        method: The HTTP method.
        url: Where to; no more than its host is shown, and no secret in it.
    """
    with telemetry.outgoing(method, _host(url)) as outgoing:
        try:
            yield outgoing
        except Exception as error:
            outgoing.failed(_outcome(error))
            raise


def _host(url: str) -> str:
    try:
        host = shown_host(url)
    except ValueError:  # it is refused later, with a reason
        return ""
    return str(redacted(host))


def _outcome(error: Exception) -> str:
    if isinstance(error, (asyncio.TimeoutError, TimeoutError)):
        return TIMEOUT
    if isinstance(error, Unreachable):
        return error.kind or "unusable"
    return "refused" if isinstance(error, ComponentError) else "error"
