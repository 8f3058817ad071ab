"""What is typed: files, KEY=VALUE, secrets."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from arcrun.commands.documents import parse_document
from arcrun.commands.errors import CommandError

_KEY_VALUE = (
    "give the input as KEY=VALUE, for example city=台北; JSON as KEY:=VALUE, for example count:=3"
)


def text_of(path: str) -> str:
    """Return the text of a file; `-` is standard input.

    Raises:
        CommandError: it can't be read, or is not UTF-8.
    """
    try:
        data = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CommandError(
            "invalid_argument", f"{path} is not UTF-8 (byte {error.start}): save it as UTF-8"
        ) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise CommandError("invalid_argument", f"{path} can't be read: {reason}") from None


def fields_of(pairs: Sequence[str], file: str | None) -> dict[str, Any] | None:
    """Return a JSON object: what is in a file, and over it each KEY=VALUE (text) and KEY:=VALUE (JSON).

    Args:
        pairs: as typed.
        file: a file in YAML or JSON, `-` for standard input, or None.

    Raises:
        CommandError: one is not valid.
    """
    if not pairs and file is None:
        return None
    fields = {} if file is None else parse_document(text_of(file), file).value
    for pair in pairs:
        key, separator, value = pair.partition("=")
        if not separator or not key.strip(":"):
            raise CommandError("invalid_argument", f"{pair!r} has no `=`: {_KEY_VALUE}")
        if key.endswith(":"):
            key, value = key[:-1], _json_of(key[:-1], value)
        fields[key] = value
    return fields


def _json_of(key: str, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise CommandError(
            "invalid_argument", f"the value after {key}:= is not JSON; for a text write {key}=VALUE"
        ) from None


def secret_from(name: str) -> str:
    """Return a secret: from a prompt that shows nothing, or from standard input where that is no terminal.

    Raises:
        CommandError: it is empty.
    """
    if sys.stdin.isatty():
        import getpass

        value = getpass.getpass(f"{name} (not shown): ", sys.stderr)
    else:
        value = text_of("-").rstrip("\r\n")
    if not value:
        raise CommandError("invalid_argument", f"the {name} is empty: type it, or pipe it in")
    return value
