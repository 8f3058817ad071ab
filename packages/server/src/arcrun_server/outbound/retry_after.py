"""When a service wants to be asked again."""

from __future__ import annotations

import math
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of `Retry-After` (RFC 9110), or None if the response does not say.

    A date counts from the response's own `Date`: the clocks of two machines may differ.

    Args:
        headers: The response's headers, names in lower case.

    Example:
        >>> retry_after({"retry-after": "7"}), retry_after({"retry-after": "soon"})
        (7.0, None)
        >>> date, later = "Sun, 22 Nov 2026 08:30:00 GMT", "Sun, 22 Nov 2026 08:30:09 GMT"
        >>> retry_after({"date": date, "retry-after": later})
        9.0
    """
    text = headers.get("retry-after", "").strip()
    try:
        seconds = float(text)
    except ValueError:
        try:
            wanted, said = map(parsedate_to_datetime, (text, headers.get("date", "")))
            seconds = (wanted - said).total_seconds()
        except (ValueError, TypeError):
            return None
    return max(seconds, 0.0) if math.isfinite(seconds) else None
