"""Take apart the texts of the catalog, which stand in English and in Chinese one after the other."""

from __future__ import annotations

import re
from typing import TypedDict

_CHINESE = re.compile(r"[\u3400-\u9fff\uff00-\uffef]")
_ENDS = (". ", "? ", "! ")


class Text(TypedDict):
    """One text in the languages of the site."""

    en: str
    zh: str


def both(text: str) -> Text:
    """Return the English and the Chinese part; a text in one language is both.

    Example:
        >>> both("Files in Drive. 存取 Drive 的檔案。")
        {'en': 'Files in Drive.', 'zh': '存取 Drive 的檔案。'}
        >>> both("API token 權杖")
        {'en': 'API token', 'zh': '權杖'}
    """
    first = _CHINESE.search(text)
    if first is None:
        return {"en": text, "zh": text}
    before = text[: first.start()]
    sentence = max(before.rfind(end) for end in _ENDS)
    cut = sentence + 2 if sentence >= 0 else before.rfind(" ") + 1
    english, chinese = text[:cut].strip(), text[cut:].strip()
    return {"en": english or chinese, "zh": chinese}


def both_names(text: str) -> Text:
    """Return the parts of a name that is in Chinese first.

    Example:
        >>> both_names("HTTP 請求 HTTP request")
        {'en': 'HTTP request', 'zh': 'HTTP 請求'}
    """
    chinese = list(_CHINESE.finditer(text))
    if not chinese:
        return {"en": text, "zh": text}
    end = chinese[-1].end()
    return {"en": text[end:].strip() or text, "zh": text[:end]}
