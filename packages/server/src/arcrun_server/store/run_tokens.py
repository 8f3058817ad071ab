"""What an invocation of a component is called outside of its run (docs/contract.md#runs).

An invocation has a place in its run (`engine.Step.place`). From the run's id and that place come, with the server key:

- the key under which a service is asked again, so that it can tell that it has done what it is asked for;
- the token of a callback URL, which lets its holder deliver the result of this invocation and nothing else.

Both are the same each time that the run is executed, and neither leads to the other.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from arcrun_server.sealing.server_key import ServerKey

_TOKEN = re.compile(r"([0-9a-f]{32})\.([0-9a-f]{32})\.([0-9a-f]{64})")


class Callback(NamedTuple):
    """What a callback is for.

    Attributes:
        run: Id of the run.
        waiting: Which of its invocations waits, as `waiting_at` names it.
    """

    run: str
    waiting: str


class RunTokens:
    """Makes and checks what invocations are called.

    Args:
        server_key: Makes them unguessable.

    Example:
        >>> from arcrun_server.sealing.server_key import ServerKey
        >>> tokens = RunTokens(ServerKey(bytes(32)))
        >>> run = "0" * 32
        >>> tokens.read(tokens.write(run, "ask")) == Callback(run, waiting_at("ask"))
        True
    """

    def __init__(self, server_key: ServerKey) -> None:
        self._server_key = server_key

    def repeat_key(self, run: str, place: str) -> str:
        """Return the key under which an invocation is repeated."""
        return self._server_key.fingerprint(f"repeat:{run}:{place}".encode()).hex()[:32]

    def write(self, run: str, place: str) -> str:
        """Return the token of the callback of an invocation."""
        waiting = waiting_at(place)
        return f"{run}.{waiting}.{self._proof(run, waiting)}"

    def read(self, token: str) -> Callback | None:
        """Return what a token is for, or None if this engine did not make it."""
        match = _TOKEN.fullmatch(token)
        if match is None or not hmac.compare_digest(match[3], self._proof(match[1], match[2])):
            return None
        return Callback(match[1], match[2])

    def run_under(self, account: str, key: str) -> str:
        """Return the id of the run that an account has for one thing, as a tick, however often it is asked for."""
        return self._server_key.fingerprint(f"run:{account}:{key}".encode()).hex()[:32]

    def _proof(self, run: str, waiting: str) -> str:
        return self._server_key.fingerprint(f"callback:{run}:{waiting}".encode()).hex()


def waiting_at(place: str) -> str:
    """Return a name of a place that has the same length for all places."""
    return hashlib.sha256(place.encode("utf-8", "surrogatepass")).hexdigest()[:32]
