"""Keeps what may be a secret out of errors: a model that has given one as an argument must not read it again."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

HIDDEN = "[hidden]"
# Letters and digits mixed, as keys and tokens are; names and words are shorter, or hold no digit.
_TOKEN = re.compile(r"(?=[A-Za-z0-9_+=~-]*[0-9])(?=[A-Za-z0-9_+=~-]*[A-Za-z])[A-Za-z0-9_+=~-]{16,}")
_IDENTIFIER = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def without_tokens(value: Any, arguments: Mapping[str, Any]) -> Any:
    """Return a JSON value without those of the arguments' parts that look like a key or a token.

    Example:
        >>> without_tokens(["no recipe 'ghp_0123456789abcdef'"], {"name": "ghp_0123456789abcdef"})
        ["no recipe '[hidden]'"]
    """
    given = json.dumps(arguments, ensure_ascii=False).lower()

    def shown(found: re.Match[str]) -> str:
        token = found[0]
        harmless = _IDENTIFIER.fullmatch(token) or token.lower() not in given
        return token if harmless else HIDDEN

    def scrubbed(part: Any) -> Any:
        if isinstance(part, str):
            return _TOKEN.sub(shown, part)
        if isinstance(part, list):
            return [scrubbed(each) for each in part]
        if isinstance(part, dict):
            return {scrubbed(name): scrubbed(each) for name, each in part.items()}
        return part

    return scrubbed(value)
