"""Components on the web: their id is a URL that takes the context and returns JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from arcrun_server.engine import ComponentError
from arcrun_server.outbound import Unreachable, json_content
from arcrun_server.outbound.repetition import with_repeat_key

if TYPE_CHECKING:
    from arcrun_server.engine import Component, Invocation, JsonObject
    from arcrun_server.outbound import Outbound


def component(url: str, outbound: Outbound) -> Component:
    """Return the component at a URL: the context is POSTed to it, and its response is read as JSON.

    A response that is not 2xx is a failure as a result (docs/contract.md#execution); none at all fails the node.
    """

    async def run(given: JsonObject, invocation: Invocation) -> Any:
        content = json_content(given)
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        headers = with_repeat_key(headers, "POST", invocation.repeat_key)
        try:
            response = await outbound.send("POST", url, headers=headers, content=content)
        except Unreachable as problem:
            raise ComponentError(str(problem), kind=problem.kind) from None
        if not response.ok:
            return response.failure()
        is_json, value = response.json()
        if is_json:
            return value
        data = response.content()
        return {"success": True, "data": data if response.is_base64 else response.text}

    return run
