"""Cursors of paged lists: positions that clients hand back and can neither read nor make up."""

from __future__ import annotations

import binascii
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from arcrun_server.sealing.server_key import ServerKey

# Longer than the cursor of any name.
MAX_LENGTH = 1024


class Cursors:
    """Writes and reads the cursors of one server, and of all that share its key.

    A position may be a number that counts the rows of all accounts, so it is sealed.

    Args:
        server_key: Seals them.

    Example:
        >>> from arcrun_server.sealing.server_key import ServerKey
        >>> cursors = Cursors(ServerKey(bytes(32)))
        >>> cursors.read(cursors.write("notion_token", "credentials"), "credentials")
        'notion_token'
    """

    def __init__(self, server_key: ServerKey) -> None:
        self._server_key = server_key

    def write(self, position: str | int, listed: str) -> str:
        """Return a cursor; the same position of the same list has the same one."""
        text = json.dumps(position, ensure_ascii=False).encode()
        sealed = self._server_key.seal_alike(text, f"cursor:{listed}")
        return urlsafe_b64encode(sealed).rstrip(b"=").decode()

    def read(self, cursor: str, listed: str) -> str | int:
        """Return the position of a cursor.

        Args:
            cursor: As the client sent it.
            listed: What is listed; a cursor is for one list.

        Raises:
            ValueError: It is not a cursor of this list.
        """
        if not cursor.isascii() or len(cursor) > MAX_LENGTH:
            raise ValueError("not a cursor")
        try:
            sealed = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        except binascii.Error:
            raise ValueError("not a cursor") from None
        position: str | int = json.loads(self._server_key.open(sealed, f"cursor:{listed}"))
        return position
