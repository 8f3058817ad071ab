"""Words: one function makes those of a block and those of a query, for the indexes of both databases.

- Texts are compared in the form NFKC and without case: `Ａ` is `a`, and it makes no difference whether an accent is a
  character of its own. Accents count: `café` is not `cafe`.
- A run of letters and digits is a word. Scripts without spaces between words (Chinese, Japanese, Korean) have one
  word for each character, so that a word of any length is found as a phrase.
- A symbol (emoji, `+`, `€`) is a word of its own. Variation selectors, joiners and control characters are left out.
- Punctuation and white space separate words and are not found.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# A longer word is cut, in blocks and in queries alike: no index takes words of any length.
LONGEST_WORD = 64

_SINGLE = (
    "\u1100-\u11ff\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3038-\u303c\u3041-\u3096\u309d-\u309f"
    "\u30a1-\u30fa\u30fc-\u30ff\u3105-\u312f\u3131-\u318e\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U00016fe0-\U00018dff\U0001aff0-\U0001b2ff"
    "\U00020000-\U0003ffff"
)
_JOINER = "\u034f"
_LEFT_OUT = re.compile("[\u034f\u200c\u200d\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_PIECE = 4096
# Characters that never become one with what stands before them: ASCII, Chinese, compatibility forms of Arabic.
_BEGINS_ANEW = re.compile("[\x00-\x7f\u3400-\u4dbf\u4e00-\u9fff\ufb50-\ufdfb]")
_MARKS_IN_A_ROW = 30
# Marks are among these.
_MANY_MARKS = re.compile(rf"[^\w\s\x00-\x7f]{{{_MARKS_IN_A_ROW + 1},}}")
# Words of scripts without spaces that follow each other, as `spaced` returns them.
_RUN = re.compile(f"[{_SINGLE}](?: [{_SINGLE}])+")
_PART = re.compile(rf"(?P<singles>[{_SINGLE}]+)|(?P<letters>[^\W_{_SINGLE}]+)|(?P<other>[^\w\s])")


def words_of(text: str) -> Iterator[str]:
    """Yield the words of a text, in order.

    Example:
        >>> list(words_of("Mira 的天氣:C++ 很好 😀"))
        ['mira', '的', '天', '氣', 'c', '+', '+', '很', '好', '😀']
    """
    letters = ""
    end = -1
    for part in _PART.finditer(_comparable(text)):
        found = part[0]
        is_mark = part["other"] is not None and unicodedata.category(found)[0] == "M"
        if part["letters"] is not None or is_mark:
            # A mark is part of the word before it, which goes on behind the mark.
            if part.start() != end:
                yield from _cut(letters)
                letters = ""
            letters += found
            end = part.end()
            continue
        yield from _cut(letters)
        letters = ""
        if part["singles"] is not None:
            yield from found  # a word for each character
        elif unicodedata.category(found)[0] == "S":
            yield found
    yield from _cut(letters)


def spaced(text: str) -> str:
    """Return the words of a text with a space between them, as the indexes take it."""
    return " ".join(words_of(text))


def pairs_of(words: str) -> list[list[str]]:
    """Return each two words of scripts without spaces that stand side by side, a list for each run of such words.

    A character is in many texts, and two of them side by side are in few.

    Args:
        words: What `spaced` returns, or a phrase.

    Example:
        >>> pairs_of("今 天 天 氣 mira 很 好 嗎 ok 對")
        [['今天', '天天', '天氣'], ['很好', '好嗎']]
    """
    runs = (run[0][::2] for run in _RUN.finditer(words))
    return [[one + next_one for one, next_one in pairwise(run)] for run in runs]


def is_run(phrase: str) -> bool:
    """Tell whether a phrase is two or more words of scripts without spaces, and nothing else."""
    return _RUN.fullmatch(phrase) is not None


def phrases_of(query: str) -> list[str]:
    """Return what a query looks for: the words of each part between white space, which must follow each other.

    Nothing in a query is an operator. Parts without a word, as a lone comma, are left out.

    Example:
        >>> phrases_of('天氣 AND "mira"')
        ['天 氣', 'and', 'mira']
    """
    return list(dict.fromkeys(filter(None, map(spaced, query.split()))))


def _comparable(text: str) -> str:
    return "".join(map(_folded, _pieces(_with_joiners(text))))


def _pieces(text: str) -> Iterator[str]:
    """Yield a text in pieces that can be normalized each by itself: in one piece, it would keep other threads waiting."""
    start = 0
    while start < len(text):
        begins = _BEGINS_ANEW.search(text, start + _PIECE)
        end = begins.start() if begins else len(text)
        yield text[start:end]
        start = end


def _folded(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return _LEFT_OUT.sub("", unicodedata.normalize("NFKC", folded))


def _with_joiners(text: str) -> str:
    """Return a text with a joiner after each 30 marks in a row, as Unicode's stream-safe format has it.

    To normalize a text, the marks of each character are sorted, and that takes the square of their number: hundreds
    of thousands of them would stop the server for minutes.
    """
    return _MANY_MARKS.sub(_joined, text)


def _joined(many: re.Match[str]) -> str:
    made: list[str] = []
    in_a_row = 0
    for character in many[0]:
        in_a_row = in_a_row + 1 if unicodedata.combining(character) else 0
        if in_a_row > _MARKS_IN_A_ROW:
            made.append(_JOINER)
            in_a_row = 1
        made.append(character)
    return "".join(made)


def _cut(letters: str) -> Iterator[str]:
    for start in range(0, len(letters), LONGEST_WORD):
        yield letters[start : start + LONGEST_WORD]
