"""Cleans what adapters and engines send, before it can break a report or steer a terminal.

Everything that comes from outside passes one of these functions: JSON `parsed_json`, and text that people
will read (messages, stderr) `visible`, or `visible_line` where it is one line, such as a name.
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
# What ends a line, of which `visible` keeps the line feed.
_BREAKS = re.compile("[\n\u2028\u2029]")
# Commands of CI systems: GitHub obeys `::command::` at the start of a line, and `##[command]` anywhere.
_CI_COMMAND = re.compile(r"^(\s*):(?=:)|##(?=\[)", re.MULTILINE)

# Surrogates as JSON escapes them, and as they are; bytes that are no UTF-8, but UTF-16 or UTF-32, hold NUL.
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]|[\ud800-\udfff]")
_SURROGATE_BYTES = re.compile(rb"\\u[dD][89a-fA-F]|\xed[\xa0-\xbf]|\x00")


def parsed_json(text: str | bytes, max_depth: int = MAX_DEPTH) -> Any:
    r"""Return the value of a JSON text, which can be written as JSON again.

    Lone surrogates, which JSON can escape and UTF-8 can't encode, become U+FFFD.

    Args:
        text: The text.
        max_depth: How many levels of it may be nested.

    Raises:
        ValueError: It is not JSON, nested too deeply, or has a number that JSON can't represent.

    Example:
        >>> parsed_json('["a", "\\ud800"]') == ["a", "\N{REPLACEMENT CHARACTER}"]
        True
    """
    try:
        value = _DECODER.decode(_decoded(text))
    except RecursionError:
        raise _too_deep(max_depth) from None
    _check_depth(value, max_depth)
    return _clean(value) if _may_have_surrogates(text) else value


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


def visible_line(text: str) -> str:
    r"""Return a text as `visible` does, in one line: a name begins no line of its own.

    Example:
        >>> visible_line("a\n::error::b")
        'a\\x0a::error::b'
    """
    return visible(_BREAKS.sub(_escaped, text))


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


def _decoded(text: str | bytes) -> str:
    if isinstance(text, str):
        return text
    return text.decode(json.detect_encoding(text), "surrogatepass")


def _may_have_surrogates(text: str | bytes) -> bool:
    """Tell whether what is parsed may have lone surrogates: few texts do, and looking at each value takes long."""
    if isinstance(text, bytes):
        return _SURROGATE_BYTES.search(text) is not None
    return _SURROGATE.search(text) is not None


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return well_formed(value)
    if isinstance(value, dict):
        return {well_formed(key): _clean(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_clean(item) for item in value]
    return value


def _check_depth(value: Any, max_depth: int) -> None:
    layer = [value]
    for _ in range(max_depth + 1):
        layer = [
            child
            for item in layer
            if isinstance(item, (dict, list))
            for child in (item.values() if isinstance(item, dict) else item)
        ]
    if layer:
        raise _too_deep(max_depth)


def _number(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError(f"the number {digits} is not representable in JSON")
    return value


def _too_deep(max_depth: int) -> ValueError:
    return ValueError(f"nested more than {max_depth} levels deep")


def _whole_number(digits: str) -> int:
    try:
        return int(digits)
    except ValueError as error:
        # Python's advice on numbers of thousands of digits is for programs.
        raise ValueError(str(error).partition("; use ")[0]) from None


_DECODER = json.JSONDecoder(parse_float=_number, parse_int=_whole_number, parse_constant=_number)
