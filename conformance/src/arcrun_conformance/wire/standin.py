"""The stand-in: a server on loopback in place of the service that a bound client calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from arcrun_conformance.scenarios.patterns import differences

from .faults import prepared_response
from .journal import Exchange, Journal, Response
from .recording import RecordingServer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .faults import FaultInjector


class Standin(RecordingServer):
    """Records the requests of bound clients and responds as the scenario says, or with 200 `{}`."""

    def __init__(
        self, journal: Journal, faults: FaultInjector, responses: Sequence[Mapping[str, Any]] = ()
    ) -> None:
        super().__init__("standin", journal, faults)
        self.responses = list(responses)

    async def respond(self, exchange: Exchange) -> Response:
        """Return the first of the scenario's responses whose `where` matches the request."""
        request = exchange.request.value()
        for prepared in self.responses:
            if not differences(prepared.get("where", {}), request):
                return prepared_response({"body": {}, **prepared})
        return Response.from_json({})
