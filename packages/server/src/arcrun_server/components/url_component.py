"""Components on the web: their id is a URL that takes the context and answers JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from arcrun_server.engine import ComponentError
from arcrun_server.outbound import Unreachable, json_content

if TYPE_CHECKING:
    from arcrun_server.engine import Component, Invocation, JsonObject
    from arcrun_server.outbound import Outbound


def component(url: str, outbound: Outbound) -> Component:
    """Make the component at a URL: it is POSTed the context and its answer is read as JSON.

    An answer that is not 2xx is a failure as a result (CONTRACT.md §6); none at all fails the node.
    """

    async def run(given: JsonObject, _invocation: Invocation) -> Any:
        content = json_content(given)
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        try:
            reply = await outbound.send("POST", url, headers=headers, content=content)
        except Unreachable as problem:
            raise ComponentError(str(problem)) from None
        if not reply.ok:
            return reply.failure()
        is_json, value = reply.json()
        return value if is_json else {"success": True, "data": reply.text}

    return run
