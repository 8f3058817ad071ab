"""The recorded side of the engine: responds as it did when the recording was made."""

from __future__ import annotations

import base64
import contextlib
from collections import deque
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from arcrun_conformance.wire.client import EngineClient, NoReply, Outgoing
from arcrun_conformance.wire.journal import Exchange, Journal, Request, Response
from arcrun_conformance.wire.proxy import Proxy
from arcrun_conformance.wire.sending import end_to_end

from .substitution import Substitution

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from .har import RecordedResponse

NOT_RECORDED = "not_recorded"
# Values that differ in each run, since they are where something listens or lies.
_PORTS = ("unused_port", "silent_port", "standin_port")
_PLACES = ("base_url", "files")


class RecordedEngine(Proxy):
    """Responds to the nth request with a method and path as the engine did to the nth.

    A request that was not recorded gets 502 with the code `not_recorded`.

    Attributes:
        values: Returns the values of the placeholders in this run.
    """

    def __init__(
        self,
        responses: Sequence[RecordedResponse],
        recorded: Mapping[str, Any],
        values: Callable[[], Mapping[str, Any]],
        *arguments: Any,
    ) -> None:
        super().__init__(*arguments)
        self._recorded = recorded
        self._values = values
        self._asked: dict[tuple[str, str], int] = {}
        self._responses: dict[tuple[str, str], deque[RecordedResponse]] = {}
        for response in responses:
            key = response.method, unquote(urlsplit(response.target).path)
            self._responses.setdefault(key, deque()).append(response)

    async def respond(self, exchange: Exchange) -> Response:
        """Return the recorded response, after the requests that the engine itself sent meanwhile."""
        request = exchange.request
        key = request.method, request.path
        self._asked[key] = self._asked.get(key, 0) + 1
        responses = self._responses.get(key)
        if not responses:
            exchange.problem = (
                f"the recording has no response to {request.method} {request.path} "
                f"(number {self._asked[key]})"
            )
            return Response.from_json({"error": exchange.problem, "code": NOT_RECORDED}, 502)
        recorded = responses.popleft()
        values = self._values()
        places = substitution(self._recorded, values)
        standin = EngineClient(str(values["standin"]), Journal(), {})
        for call in recorded.calls:
            with contextlib.suppress(NoReply):
                await standin.send(_again(call, places))
        return places.response(recorded.response)


def _again(call: Request, places: Substitution) -> Outgoing:
    headers = {
        name: places.text(value)
        for name, value in end_to_end(call.headers)
        if name.lower() not in {"host", "content-length"}
    }
    body = base64.b64encode(places.body(call.body)).decode() if call.body else None
    return Outgoing(call.method, places.text(call.target), headers=headers, data=body)


def substitution(recorded: Mapping[str, Any], values: Mapping[str, Any]) -> Substitution:
    """Return what puts the servers and folders of this run in the place of those that were recorded.

    Example:
        >>> old, new = {"standin_port": 80}, {"standin_port": 8080}
        >>> substitution(old, new).text("http://127.0.0.1:80/a http://localhost:80")
        'http://127.0.0.1:8080/a http://localhost:8080'
    """
    replaced = {str(recorded[name]): str(values[name]) for name in _PLACES if name in recorded}
    for name in _PORTS:
        if name in recorded:
            for host in ("127.0.0.1", "localhost"):
                replaced[f"{host}:{recorded[name]}"] = f"{host}:{values[name]}"
    return Substitution(replaced, end=r"(?!\d)")
