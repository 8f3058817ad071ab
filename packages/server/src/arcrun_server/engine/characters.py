"""Text that can't be stored, sent and compared everywhere: half of a surrogate pair, and NUL."""

from __future__ import annotations

import re

# A backslash before `u0000` that is not itself escaped.
_NUL_IN_JSON = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
_NO_CHARACTER = re.compile("[\x00\ud800-\udfff]")


def no_character(text: str) -> re.Match[str] | None:
    r"""Find the first NUL or half of a surrogate pair in a text; return None if there is none.

    Example:
        >>> no_character("a\x00").start(), no_character("中文 😀")
        (1, None)
    """
    # Most texts have neither, which is found out many times faster than by the expression.
    if "\x00" not in text and (text.isascii() or _is_unicode(text)):
        return None
    return _NO_CHARACTER.search(text)


def readable_characters(text: str) -> str:
    r"""Return a text with U+FFFD in the place of what is no character.

    Example:
        >>> readable_characters("a\x00") == "a\ufffd"
        True
    """
    return _NO_CHARACTER.sub("\ufffd", text) if no_character(text) else text


def json_holds_nul(text: str) -> bool:
    r"""Tell whether JSON has NUL in one of its texts, where it stands as an escape.

    Example:
        >>> json_holds_nul(r'["\u0000"]'), json_holds_nul(r'["\\u0000"]')
        (True, False)
    """
    return "\\u0000" in text and _NUL_IN_JSON.search(text) is not None


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


# As `\S` of JSON Schema has it: the separators U+001C to U+001F are white space for Python alone.
NOT_BLANK = re.compile(r"(?s).*[\S\x1c-\x1f].*")
"""A text that is more than white space."""
