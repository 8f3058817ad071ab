"""Building URLs of parts that come from data: no value can leave the place that it is meant for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from arcrun_server.json_text import as_text

if TYPE_CHECKING:
    from collections.abc import Mapping

_PATH_END = re.compile(r"[?#]")
_PLACE = re.compile(r"\{(\w+)\}")
_OWN_PLACE = re.compile(r"(?<!\{)\{(\w+)\}(?!\})")


def without_places(value: Any) -> str:
    """Return a value as text in which nothing names a place: braces are percent-encoded.

    Example:
        >>> without_places("hi{bot_token}")
        'hi%7Bbot_token%7D'
    """
    return as_text(value).replace("{", "%7B").replace("}", "%7D")


def fill_places(url: str, values: Mapping[str, str]) -> str:
    """Fill the `{name}` places of a URL in one pass; a place without a value stays as it is.

    Args:
        url: The URL.
        values: What to put in, percent-encoded.

    Example:
        >>> fill_places("/bot{bot_token}/{x}", {"bot_token": "1%3Aab"})
        '/bot1%3Aab/{x}'
    """
    return _PLACE.sub(lambda place: values.get(place[1], place[0]), url)


def places_of(template: str) -> list[str]:
    """Return the names of the `{name}` places of a URL template; `{{name}}` is a placeholder.

    Example:
        >>> places_of("https://a.example/{id}/{{input.x}}")
        ['id']
    """
    return _OWN_PLACE.findall(template)


def with_query(url: str, query: Mapping[str, str | list[str]]) -> str:
    """Return a URL with parameters, percent-encoded, in the place of those of the same name.

    Example:
        >>> with_query("https://a.example/?q=1&r=2", {"q": "a&b"})
        'https://a.example/?r=2&q=a%26b'
    """
    if not query:
        return url
    parts = urlsplit(url)
    kept = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] not in query]
    pairs = [*kept, *query.items()]
    text = urlencode(pairs, doseq=True, quote_via=quote, errors="replace")
    return urlunsplit(parts._replace(query=text))


def climbs(path: str) -> bool:
    """Tell whether a path leads upwards: one of its segments is `..`, also percent-encoded.

    Example:
        >>> climbs("/pages/%2E%2e/keys"), climbs("/pages/..a?next=/../b")
        (True, False)
    """
    return ".." in unquote(_PATH_END.split(path, maxsplit=1)[0]).split("/")
