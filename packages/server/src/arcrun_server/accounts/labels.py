"""What people call their keys and devices: shown on terminals and pages, so nothing in it may change what they show."""

from __future__ import annotations

import re

# No control characters, no line ends, nothing that turns the direction of text around.
LABEL = re.compile(
    r"[^\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff]{0,64}"
)
LABEL_RULE = "at most 64 characters, all of them visible"


def is_label(text: str) -> bool:
    r"""Tell whether a text can be a label.

    Example:
        >>> is_label("筆電 laptop"), is_label("a\nb")
        (True, False)
    """
    return LABEL.fullmatch(text) is not None
