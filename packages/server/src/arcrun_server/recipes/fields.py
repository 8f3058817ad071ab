"""Types and checks that the records of all kinds of recipes share."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field

from arcrun_server.engine import Problem
from arcrun_server.validation import matching

_URL = re.compile(r"(?s)https?://[A-Za-z0-9].*")

ShortText = Annotated[str, Field(max_length=1024)]
LongText = Annotated[str, Field(max_length=4096)]
DisplayName = Annotated[str, Field(min_length=1, max_length=256)]
Url = Annotated[
    str,
    Field(max_length=2048),
    matching(_URL, "a URL that begins with https:// or http:// and a host"),
]
Templates = dict[str, str]


def recipe_problem(message: str, path: str, suggestion: str | None = None) -> Problem:
    """Return a problem of a recipe.

    Args:
        message: What is wrong.
        path: Where in the recipe, as `inject.header.Authorization`.
        suggestion: The nearest known name.
    """
    return Problem(message, path=path, suggestion=suggestion, code="invalid_recipe")


def host_of(url: str) -> str | None:
    """Return the host of a URL, or None if it has none.

    Example:
        >>> host_of("https://api.example.com/v1"), host_of("https://[x/")
        ('api.example.com', None)
    """
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None
