"""Keeps what may be a secret out of errors: a model that has given one as an argument must not read it again."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

HIDDEN = "[hidden]"
# Letters and digits mixed, as keys and tokens are; names and words are shorter, or hold no digit.
_TOKEN = re.compile(r"(?=[A-Za-z0-9_+=~-]*[0-9])(?=[A-Za-z0-9_+=~-]*[A-Za-z])[A-Za-z0-9_+=~-]{16,}")
_IDENTIFIER = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


# Errors of a run that the engine has found: what was given as `run_id` is a run's id, and no key that looks like one.
_RUN_WAS_FOUND = frozenset({"conflict", "run_failed", "run_cancelled", "run_paused"})
_RUN_ID = re.compile(r"[0-9a-f]{32}")


def run_ids(code: str, arguments: Mapping[str, Any]) -> frozenset[str]:
    """Return the ids of runs among the arguments, which an error may repeat: an agent needs them to go on.

    Args:
        code: that of the error. Of an id that the engine does not know, nothing says that it is one.
        arguments: as given.

    Example:
        >>> run_ids("conflict", {"run_id": "5b1c8e0f6a2d4f7c9e3b1a0d8c7f6e5a"})
        frozenset({'5b1c8e0f6a2d4f7c9e3b1a0d8c7f6e5a'})
    """
    given = arguments.get("run_id")
    is_one = code in _RUN_WAS_FOUND and isinstance(given, str) and _RUN_ID.fullmatch(given)
    return frozenset({str(given)} if is_one else ())


def without_tokens(
    value: Any, arguments: Mapping[str, Any], ids: frozenset[str] = frozenset()
) -> Any:
    """Return a JSON value without those of the arguments' parts that look like a key or a token.

    Args:
        value: the value.
        arguments: as given.
        ids: what looks like a token among them, and is an id.

    Example:
        >>> without_tokens(["no recipe 'ghp_0123456789abcdef'"], {"name": "ghp_0123456789abcdef"})
        ["no recipe '[hidden]'"]
        >>> without_tokens("refused: q=ghp_0123456789abcdef", {"query": "ghp_0123456789abcdef"})
        'refused: q=[hidden]'
    """
    given = json.dumps(arguments, ensure_ascii=False).lower()
    tokens = {each for text in _texts(arguments) for each in _TOKEN.findall(text)}
    forms = {
        form for each in tokens if not _is_id(each, ids) for form in (each, quote(each, safe=""))
    }
    # Wherever they stand, also after `q=`; the longest first, for one may be a part of another.
    whole = re.compile(
        "|".join(map(re.escape, sorted(forms, key=len, reverse=True))) or "(?!)", re.IGNORECASE
    )

    def shown(found: re.Match[str]) -> str:
        token = found[0]
        return token if _is_id(token, ids) or token.lower() not in given else HIDDEN

    def scrubbed(part: Any) -> Any:
        if isinstance(part, str):
            return _TOKEN.sub(shown, whole.sub(HIDDEN, part))
        if isinstance(part, list):
            return [scrubbed(each) for each in part]
        if isinstance(part, dict):
            return {scrubbed(name): scrubbed(each) for name, each in part.items()}
        return part

    return scrubbed(value)


def _is_id(token: str, ids: frozenset[str]) -> bool:
    return token in ids or bool(_IDENTIFIER.fullmatch(token))


def _texts(value: Any) -> Iterator[str]:
    """Yield the texts in a JSON value, also the names of fields."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, each in value.items():
            yield from (str(name), *_texts(each))
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
