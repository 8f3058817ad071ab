"""What is typed: files, KEY=VALUE, secrets."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from arcrun.commands.documents import parse_document
from arcrun.commands.errors import CommandError
from arcrun.commands.reading import bytes_of, read_at_most

from .messages import text as message
from .source import Source


def text_of(path: str) -> str:
    """Return the text of a file; `-` is standard input.

    Raises:
        CommandError: it can't be read, or is not UTF-8.
    """
    shown = "<stdin>" if path == "-" else path
    data = _bytes_of(path, shown)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise CommandError(
            "invalid_argument",
            message("{path} is not UTF-8 (line {line}): save it as UTF-8", path=shown, line=line),
        ) from None


def _bytes_of(path: str, shown: str) -> bytes:
    try:
        if path != "-":
            return bytes_of(Path(path), shown)
        if sys.stdin is None:  # `<&-`
            raise CommandError(
                "invalid_argument", message("there is no standard input: it is closed")
            )
        return read_at_most(sys.stdin.buffer, shown)
    except FileNotFoundError:
        folder, hint = Path.cwd(), _like(Path(path))
        text = message(
            "there is no file {path} in {folder}{hint}", path=shown, folder=folder, hint=hint
        )
        raise CommandError("file_not_found", text) from None
    except IsADirectoryError:
        text = message("{path} is a folder: name a file in it", path=shown)
        raise CommandError("invalid_argument", text) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        text = message("{path} can't be read: {reason}", path=shown, reason=reason)
        raise CommandError("invalid_argument", text) from None


def _like(path: Path) -> str:
    """Return the end of a sentence that names a file of almost this name, if there is one."""
    from difflib import get_close_matches

    try:
        names = [each.name for each in path.parent.iterdir()]
    except OSError:
        return ""
    near = get_close_matches(path.name, names, 1)
    return message("; did you mean {names}?", names=path.parent / near[0]) if near else ""


def fields_of(pairs: Sequence[str], file: Source | None) -> dict[str, Any] | None:
    """Return a JSON object: what is in a file, and over it each KEY=VALUE (text) and KEY:=VALUE (JSON).

    Args:
        pairs: as typed.
        file: a file in YAML or JSON, or None.

    Raises:
        CommandError: one is not valid.
    """
    if not pairs and file is None:
        return None
    fields = {} if file is None else parse_document(file.text, file.path).value
    for pair in pairs:
        key, separator, value = pair.partition("=")
        if not separator or not key.strip(":"):
            raise CommandError(
                "invalid_argument",
                message(
                    "{pair} has no `=`: give the input as KEY=VALUE, for example city=台北; JSON as KEY:=VALUE, for "
                    "example count:=3",
                    pair=repr(pair),
                ),
            )
        if key.endswith(":"):
            key, value = key[:-1], _json_of(key[:-1], value)
        fields[key] = value
    return fields


def _json_of(key: str, text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise CommandError(
            "invalid_argument",
            message("the value after {key}:= is not JSON; for a text write {key}=VALUE", key=key),
        ) from None


def secret_from(name: str) -> str:
    """Return a secret: from a prompt that shows nothing, or from standard input where that is no terminal.

    Raises:
        CommandError: it is empty.
    """
    if sys.stdin.isatty():
        import getpass

        value = getpass.getpass(message("{name} (not shown): ", name=name), sys.stderr)
    else:
        value = text_of("-").rstrip("\r\n")
    if not value:
        raise CommandError(
            "invalid_argument", message("the {name} is empty: type it, or pipe it in", name=name)
        )
    return value
