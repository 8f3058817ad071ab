"""Regular expressions of Python as JSONPath has them: I-Regexp (RFC 9485), which has neither anchors nor classes."""

from __future__ import annotations

from .inexpressible import Inexpressible

# What stands for a class of characters, to be put between brackets.
_CLASSES = {"d": "0-9", "w": "0-9A-Za-z_", "s": " \\t\\n\\r"}
_ESCAPED = "()*+-.?[\\]^nrt{|}"
_ANYTHING = "(.|\\n|\\r)*"
REASON = "it matches a regular expression that JSONPath does not have"


def i_regexp(pattern: str) -> tuple[str, str]:
    r"""Return the function of JSONPath that finds a pattern, `match` or `search`, and the pattern for it.

    Raises:
        Inexpressible: The pattern has something that I-Regexp has not.

    Example:
        >>> i_regexp(r"^[0-9a-f]+\.\d$")
        ('match', '[0-9a-f]+\\.[0-9]')
        >>> i_regexp("json")
        ('search', 'json')
    """
    begins = pattern.startswith("^")
    ends = pattern.endswith("$") and not pattern.endswith("\\$")
    body, alternatives = _translated(pattern[begins : len(pattern) - ends])
    if not begins and not ends:
        return "search", body
    if alternatives:  # of `^a|b$`, each alternative has one anchor only
        raise Inexpressible(REASON)
    return "match", ("" if begins else _ANYTHING) + body + ("" if ends else _ANYTHING)


def _translated(pattern: str) -> tuple[str, bool]:
    """Return the pattern without what only Python knows, and whether alternatives stand outside of groups."""
    written, depth, alternatives, brackets = [], 0, False, False
    position = 0
    while position < len(pattern):
        character = pattern[position]
        position += 1
        if character == "\\":
            written.append(_escape(pattern[position : position + 1], brackets))
            position += 1
            continue
        if brackets:
            brackets = character != "]"
        elif character == "[":
            brackets = True
        elif character == "(" and pattern.startswith("?:", position):
            position, depth = position + 2, depth + 1
        elif character in "^$" or (
            character == "?" and pattern[position - 2 : position - 1] in "(*+?}"
        ):
            raise Inexpressible(REASON)
        else:
            depth += {"(": 1, ")": -1}.get(character, 0)
            alternatives |= character == "|" and depth == 0
        written.append(character)
    return "".join(written), alternatives


def _escape(character: str, brackets: bool) -> str:
    if character in _CLASSES:
        return _CLASSES[character] if brackets else f"[{_CLASSES[character]}]"
    if character and character in _ESCAPED:
        return f"\\{character}"
    if character and not character.isalnum():  # escaped though it has no meaning, as in `\/`
        return "[$]" if character == "$" and not brackets else character
    raise Inexpressible(REASON)
