"""Texts for people that can be said in another language: the English one, with what it is made of."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

_NAME = re.compile(r"\{(\w+)\}")


class Sentence(str):
    """A text in English that remembers its template and values; everywhere else it is a plain text."""

    __slots__ = ("template", "values")
    template: str
    values: dict[str, object]


def sentence(template: str, **values: object) -> Sentence:
    """Return a text with values for its `{names}`.

    Example:
        >>> sentence("from {origin}", origin="the default")
        'from the default'
    """
    made = Sentence(filled(template, values))
    made.template, made.values = template, values
    return made


def either(names: Sequence[str]) -> str:
    """Return names as a choice; of one it is the name.

    Example:
        >>> either(["a", "b"])
        'a or b'
    """
    first, *others = names
    return sentence("{one} or {other}", one=first, other=either(others)) if others else first


def filled(template: str, values: Mapping[str, object]) -> str:
    """Return a template with values for its `{names}`; a value is no template.

    Example:
        >>> filled("{one} and {other}", {"one": "{other}", "other": "b"})
        '{other} and b'
    """
    return _NAME.sub(lambda found: str(values.get(found[1], found[0])), template)
