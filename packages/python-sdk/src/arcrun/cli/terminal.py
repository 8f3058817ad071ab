"""Text for a terminal: what could steer it, or show text in another order than it has, is written as escapes."""

from __future__ import annotations

import json
import os
import re

# Control characters but the line end and the tab; marks of direction; characters that show as nothing. The joiners
# U+200C and U+200D stay: scripts and emoji need them, and they change no order.
_STEERING = re.compile(
    "[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\xad\\u061c\\u180e\\u200b\\u200e\\u200f\\u2028-\\u202e"
    "\\u2060-\\u206f\\ufeff\\ufff9-\\ufffb\\ud800-\\udfff\\U000e0000-\\U000e007f]"
)
# Begins each style: nobody else knows it, so no text of an engine or a file can bring a style of its own.
_MARK = f"\x1b{os.urandom(8).hex()}"
_STYLE = re.compile(re.escape(_MARK) + r"\[([\d;]*)m")


def escaped(text: str) -> str:
    r"""Return text with escapes such as `\u202E` in place of what steers a terminal; line ends and tabs stay.

    Example:
        >>> escaped("a\x1b[31mb")
        'a\\u001B[31mb'
    """
    return _STEERING.sub(lambda found: _escape(ord(found[0])), text)


def escaped_json(text: str) -> str:
    """Return JSON with JSON's own escapes in place of what steers a terminal: its value stays the same."""
    return _STEERING.sub(lambda found: json.dumps(found[0])[1:-1], text)


def steers(text: str) -> bool:
    """Tell whether a text has characters that `escaped` writes as escapes."""
    return _STEERING.search(text) is not None


def styled(text: str, codes: str) -> str:
    """Return text in a style, which `shown` alone turns into what a terminal understands."""
    return f"{_MARK}[{codes}m{text}{_MARK}[0m"


def shown(text: str) -> str:
    """Return text as it may go to a terminal: with the styles of `styled`, and everything else escaped."""
    parts = _STYLE.split(text)  # text, codes of a style, text, …
    return "".join(
        f"\x1b[{part}m" if number % 2 else escaped(part) for number, part in enumerate(parts)
    )


def _escape(code: int) -> str:
    return f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"
