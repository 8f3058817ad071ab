"""Cleans what adapters and engines send, before it can break a report or steer a terminal.

Everything that comes from outside passes one of these functions: JSON `parsed_json`, and text that people
will read (messages, stderr) `visible`.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

# Deeper than any response of the contract, and far from the recursion limit of what reads it later.
MAX_DEPTH = 100

# Control characters but for tab and line feed, and those that change the direction of text.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
# Commands of CI systems: GitHub obeys `::command::` at the start of a line, and `##[command]` anywhere.
_CI_COMMAND = re.compile(r"^(\s*):(?=:)|##(?=\[)", re.MULTILINE)


def parsed_json(text: str | bytes) -> Any:
    r"""Return the value of a JSON text, which can be written as JSON again.

    Lone surrogates, which JSON can escape and UTF-8 can't encode, become U+FFFD.

    Raises:
        ValueError: It is not JSON, nested too deeply, or has a number that JSON can't represent.

    Example:
        >>> parsed_json('["a", "\\ud800"]') == ["a", "\N{REPLACEMENT CHARACTER}"]
        True
    """
    try:
        return _clean(json.loads(text), 0)
    except RecursionError:
        raise _too_deep() from None


def well_formed(text: str) -> str:
    r"""Return a text that UTF-8 can encode.

    Example:
        >>> well_formed("a\ud800") == "a\N{REPLACEMENT CHARACTER}"
        True
    """
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def visible(text: str) -> str:
    r"""Return a text whose characters can all be seen, and that no terminal or CI system obeys.

    Example:
        >>> visible("\x1b[2J::stop-commands::x")
        '\\x1b[2J::stop-commands::x'
        >>> visible("  ::stop-commands::x")
        '  \\::stop-commands::x'
    """
    text = _UNSEEN.sub(_escaped, well_formed(text).replace("\r\n", "\n"))
    return _CI_COMMAND.sub(lambda match: match[0][:-1] + "\\" + match[0][-1:], text)


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


def _clean(value: Any, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise _too_deep()
    if isinstance(value, str):
        return well_formed(value)
    if isinstance(value, dict):
        return {well_formed(key): _clean(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_clean(item, depth + 1) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"the number {value} is not representable in JSON")
    return value


def _too_deep() -> ValueError:
    return ValueError(f"nested more than {MAX_DEPTH} levels deep")
