"""Turn code into HTML with a class for each kind of token, so that no page needs a script for it."""

from __future__ import annotations

from html import escape

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

# What a page calls a language, where Pygments has another name for it.
_NAMES = {"sh": "bash", "js": "javascript", "mjs": "javascript", "py": "python", "yml": "yaml"}


def highlighted(code: str, language: str) -> str:
    """Return the HTML of code; in a language that is not known, its text.

    Example:
        >>> highlighted("a < b", "plain")
        'a &lt; b'
    """
    try:
        lexer = get_lexer_by_name(_NAMES.get(language, language), stripnl=False, ensurenl=False)
    except ClassNotFound:
        return escape(code, quote=False)
    html: str = highlight(code, lexer, HtmlFormatter(nowrap=True))
    return html
