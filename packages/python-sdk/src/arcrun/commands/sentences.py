"""Texts for people that can be said in another language: the English one, with what it is made of."""

from __future__ import annotations


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
    text = template
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", str(value))
    made = Sentence(text)
    made.template, made.values = template, values
    return made
