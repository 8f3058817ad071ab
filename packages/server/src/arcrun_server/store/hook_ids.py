"""The ids under which others reach a workflow (docs/contract.md#webhooks-in)."""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from arcrun_server.sealing.server_key import ServerKey

_PURPOSE = "hook"
# Longer than that of any account and name.
_ID = re.compile(r"[A-Za-z0-9_-]{38,1024}")


class Hooked(NamedTuple):
    """The workflow that an id leads to.

    Attributes:
        account: Whose it is.
        workflow: Its name.
    """

    account: str
    workflow: str


class HookIds:
    """Writes and reads these ids: account and name of a workflow, sealed.

    So an id is the same for as long as there is a workflow of this name, and nobody can make one up.

    Args:
        server_key: Seals them.

    Example:
        >>> from arcrun_server.sealing.server_key import ServerKey
        >>> ids = HookIds(ServerKey(bytes(32)))
        >>> ids.read(ids.write("a", "greet"))
        Hooked(account='a', workflow='greet')
    """

    def __init__(self, server_key: ServerKey) -> None:
        self._server_key = server_key

    def write(self, account: str, workflow: str) -> str:
        """Return the id of a workflow."""
        sealed = self._server_key.seal_alike(json.dumps([account, workflow]).encode(), _PURPOSE)
        return urlsafe_b64encode(sealed).rstrip(b"=").decode()

    def read(self, hook_id: str) -> Hooked | None:
        """Return what an id leads to, or None if this engine did not make it."""
        if not _ID.fullmatch(hook_id):
            return None
        try:
            sealed = urlsafe_b64decode(hook_id + "=" * (-len(hook_id) % 4))
            hooked = Hooked(*json.loads(self._server_key.open(sealed, _PURPOSE)))
        except ValueError:
            return None
        # Base64 has several texts for the same bytes.
        return hooked if self.write(*hooked) == hook_id else None
