"""How a node names a prompt recipe: `prompt_recipe:NAME`, `…@LABEL` or `…@VERSION`."""

from __future__ import annotations

import re

from arcrun_server.recipes.reference import Reference, parse_reference

PREFIX = "prompt_recipe:"
NAME = re.compile(r"[a-z][a-z0-9_]{0,127}")
NAME_RULE = (
    "a lower-case letter, then up to 127 lower-case letters, digits and underscores (a-z 0-9 _)"
)


def parse_prompt_reference(text: str) -> Reference:
    """Read a reference; the prefix may be left out.

    Raises:
        ValueError: It is none; the message says why.

    Example:
        >>> parse_prompt_reference("prompt_recipe:wiki_synthesis@3")
        Reference(name='wiki_synthesis', label=None, version=3)
        >>> str(parse_prompt_reference("wiki_synthesis@staging"))
        'wiki_synthesis@staging'
    """
    text = text.strip().removeprefix(PREFIX)
    if not NAME.fullmatch(text.partition("@")[0]):
        raise ValueError(f"a recipe's name is {NAME_RULE}")
    return parse_reference(text)
