"""Origins of URLs: scheme, host and port."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from .placeholders import scan, uniform

_START = r"(?i)(https?)://([^/?#\\@\s]+)(?=[/?#]|\Z)"
_PORTS = {"https": "443", "http": "80"}


def origin_of(url: str) -> str | None:
    """Return `scheme://host[:port]` of a URL, the default port left out; None if it has none.

    Placeholders stay, without the white space inside them: recipes are compared before any secret is
    filled in.

    Example:
        >>> origin_of("https://{{ secret.jira_domain }}.Atlassian.net:443/rest/api/3")
        'https://{{secret.jira_domain}}.atlassian.net'
    """
    start = re.match(_START, uniform(url))
    if start is None or not start[2].isascii():
        return None
    scheme = start[1].lower()
    host, colon, port = start[2].rpartition(":")
    if not colon or not port.isdigit():
        host, port = start[2], ""
    if len(port) > 5 or int(port or 0) > 65535:
        return None
    host = "".join(p.lower() if isinstance(p, str) else p.text for p in scan(host))
    return f"{scheme}://{host}" + (f":{port}" if port and port != _PORTS[scheme] else "")


def is_loopback(origin: str) -> bool:
    """Tell whether an origin is on this machine."""
    try:
        host = urlsplit(origin).hostname or ""
        return (
            host == "localhost"
            or host.endswith(".localhost")
            or ipaddress.ip_address(host).is_loopback
        )
    except ValueError:
        return False


def is_secure(origin: str) -> bool:
    """Tell whether no one else on the network can read what is sent: https, or loopback."""
    return origin.startswith("https:") or is_loopback(origin)
