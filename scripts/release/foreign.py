"""Read what somebody else has written, and make texts of it fit to print.

Whatever a file holds, reading it ends with a value or with one sentence that names the file; and no text of it
steers a terminal or a CI system. The texts are those of `arcrun_conformance.cleaning`, which is not installed
where a release is verified.
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

# Deeper than anything that a rehearsal writes, and far from the recursion limit of what reads it later.
MAX_DEPTH = 100
# Control characters but for tab and line feed, and those that change the direction of text.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
# GitHub obeys `::command::` at the start of a line, and `##[command]` anywhere.
_CI_COMMAND = re.compile(r"^(\s*):(?=:)|##(?=\[)", re.MULTILINE)
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


class NotReadable(Exception):
    """A file can't be read, or is not what it should be; the message names it and says why."""


def read_json(path: Path) -> Any:
    """Return the value in a JSON file.

    Raises:
        NotReadable: It can't be read, or holds something else.
    """
    return parsed(read_text(path), str(path))


def read_text(path: Path) -> str:
    """Return the text in a file.

    Raises:
        NotReadable: It can't be read, or is not UTF-8.
    """
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise NotReadable(f"{path} can't be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise NotReadable(f"{path} is not UTF-8: see its byte {error.start}") from None


def parsed(text: str, name: str) -> Any:
    """Return the value of a JSON text, which can be written as JSON in UTF-8 again.

    Raises:
        NotReadable: It is not JSON, nested too deeply, or has a number or half a character that JSON can't represent.

    Example:
        >>> parsed('{"a": [1]}', "a.json")
        {'a': [1]}
        >>> parsed("[" * 200_000, "a.json")
        Traceback (most recent call last):
        scripts.release.foreign.NotReadable: a.json is not valid JSON: it is nested more than 100 levels deep
    """
    deep = f"{name} is not valid JSON: it is nested more than {MAX_DEPTH} levels deep"
    try:
        value = _DECODER.decode(text)
        if _SURROGATE.search(text):  # a pair of them is one character
            json.dumps(value, ensure_ascii=False).encode()
    except RecursionError:
        raise NotReadable(deep) from None
    except UnicodeEncodeError:
        raise NotReadable(f"{name} is not valid JSON: it has half a character") from None
    except ValueError as error:
        raise NotReadable(f"{name} is not valid JSON: {error}") from None
    if _is_too_deep(value):
        raise NotReadable(deep)
    return value


def _is_too_deep(value: Any) -> bool:
    layer = [value]
    for _ in range(MAX_DEPTH + 1):
        layer = [
            child
            for item in layer
            if isinstance(item, (dict, list))
            for child in (item.values() if isinstance(item, dict) else item)
        ]
    return bool(layer)


def _number(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError(f"the number {digits} is not representable in JSON")
    return value


_DECODER = json.JSONDecoder(parse_float=_number, parse_constant=_number)


def visible(text: str) -> str:
    r"""Return a text whose characters can all be seen, and that no terminal or CI system obeys.

    Example:
        >>> visible("\x1b[2J\n::error::x")
        '\\x1b[2J\n\\::error::x'
    """
    if not text.isascii():  # halves of characters, which UTF-8 can't encode
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    text = _UNSEEN.sub(_escaped, text.replace("\r\n", "\n"))
    return _CI_COMMAND.sub(lambda match: match[0][:-1] + "\\" + match[0][-1:], text)


def in_a_line(text: str) -> str:
    r"""Return a text as `visible` does, and its line breaks as `\n`: none of it can pass for a line of ours.

    Example:
        >>> in_a_line("a\n✓ as released")
        'a\\n✓ as released'
    """
    return visible(text).replace("\n", "\\n")


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"
