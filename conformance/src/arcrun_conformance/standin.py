"""The stand-in: an origin on loopback that plays the service which a bound client calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .journal import Answer, Exchange, Journal
from .matching import differences
from .recording import RecordingServer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .faults import FaultPlan


class Standin(RecordingServer):
    """Catches bound requests, records them, and answers as the scenario says (else 200, `{}`)."""

    def __init__(
        self, journal: Journal, faults: FaultPlan, answers: Sequence[Mapping[str, Any]] = ()
    ) -> None:
        super().__init__("standin", journal, faults)
        self.answers = list(answers)

    async def answer(self, exchange: Exchange) -> Answer:
        """The first of the scenario's answers whose `where` fits the request."""
        request = exchange.request.value()
        for prepared in self.answers:
            if not differences(prepared.get("where", {}), request):
                answer = Answer.of_json(prepared.get("body", {}), prepared.get("status", 200))
                answer.headers += list(prepared.get("headers", {}).items())
                return answer
        return Answer.of_json({})
