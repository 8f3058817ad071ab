"""What names this machine in the headers of a request.

A browser lets the page of any host name read what that name serves, and its owner can point the name at 127.0.0.1
(DNS rebinding). The `Host` header still holds the name: a server for this machine only refuses all but its own.
"""

from __future__ import annotations

import re

_LOCAL = rb"(?i:(?:[a-z0-9-]+\.)*localhost|127(?:\.[0-9]{1,3}){3}|\[::1\])(?::[0-9]{1,5})?"
_HOST = re.compile(_LOCAL)
_ORIGIN = re.compile(rb"https?://" + _LOCAL)


def is_local_host(host: bytes) -> bool:
    """Tell whether a `Host` header names this machine.

    Example:
        >>> is_local_host(b"127.0.0.1:8787"), is_local_host(b"arcrun.evil.example")
        (True, False)
    """
    return _HOST.fullmatch(host) is not None


def is_local_origin(origin: bytes) -> bool:
    """Tell whether an `Origin` header names a page that this machine serves.

    Example:
        >>> is_local_origin(b"http://localhost:3000"), is_local_origin(b"null")
        (True, False)
    """
    return _ORIGIN.fullmatch(origin) is not None
