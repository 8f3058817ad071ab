"""Finds the data files: beside the package in the repository, inside it once installed."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

_PACKAGE = Path(__file__).parent
_INSTALLED = _PACKAGE / "data"


def data_directory() -> Path:
    """Return the folder that contains `scenarios/`, `vectors/`, `adapters/` and `gate.yaml`.

    Example:
        >>> (data_directory() / "scenarios").is_dir()
        True
    """
    return _INSTALLED if _INSTALLED.is_dir() else _PACKAGE.parents[1]


def checkout() -> Path | None:
    """Return the repository that the runner is run from; `None` if the runner is installed."""
    data = data_directory()
    repository = data.parent
    return repository if (repository / "packages").is_dir() and data != _INSTALLED else None


@cache
def schema(name: str) -> dict[str, Any]:
    """Return a JSON Schema of the package, by its path below `schemas/`, without `.json`.

    Example:
        >>> schema("protocol/start")["title"]
        'start'
    """
    text = (_PACKAGE / "schemas" / f"{name}.json").read_text("utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


@cache
def validator(name: str, definition: str | None = None) -> Draft202012Validator:
    """Return the compiled validator of `schema(name)`, or of one of its `$defs`."""
    root = schema(name)
    if definition is not None:
        root = {"$ref": f"#/$defs/{definition}", "$defs": root["$defs"]}
    return Draft202012Validator(root)
