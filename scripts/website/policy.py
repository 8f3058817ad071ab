"""Put a Content-Security-Policy into each page of the export: its inline scripts, by their hashes, and nothing else.

The hashes differ from page to page, and a header for each would be more than a host takes, so each page has its own in a
`<meta>`. What a `<meta>` can't say, such as `frame-ancestors`, is in `packages/website/public/_headers`.
"""

from __future__ import annotations

import base64
import hashlib
import html
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_INLINE = re.compile(r"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", re.DOTALL)
_HEAD = re.compile(r"<head[^>]*>")
_META = '<meta http-equiv="Content-Security-Policy"'
# Pages of Swagger UI, which writes style attributes and has images in its style sheet.
_STYLED = frozenset({"api-docs.html"})


def write_policies(export: Path, engine: str) -> int:
    """Write the policy of each page; return how many pages there are.

    Args:
        export: The folder of the export.
        engine: The origin of the engine that the pages call; empty for their own.
    """
    pages = sorted(export.rglob("*.html"))
    for page in pages:
        text = page.read_text("utf-8")
        if _META in text:
            raise ValueError(f"{page} has a policy already")
        content = policy(
            inline_scripts(text), engine, styled=page.relative_to(export).as_posix() in _STYLED
        )
        meta = f'{_META} content="{html.escape(content)}"/>'
        page.write_text(_HEAD.sub(lambda found: found[0] + meta, text, count=1), "utf-8")  # noqa: B023 - used at once
    return len(pages)


def inline_scripts(text: str) -> list[str]:
    """Return the text of each script that stands in a page."""
    return _INLINE.findall(text)


def policy(scripts: Iterable[str], engine: str, *, styled: bool = False) -> str:
    """Return the policy of a page with these inline scripts.

    Example:
        >>> policy([], "").split("; ")[1]
        "script-src 'self'"
    """
    hashes = sorted({_hash(script) for script in scripts})
    parts = [
        "default-src 'none'",
        " ".join(["script-src 'self'", *hashes]),
        "style-src 'self' 'unsafe-inline'" if styled else "style-src 'self'",
        "img-src 'self' data:" if styled else "img-src 'self'",
        "font-src 'self'",
        f"connect-src 'self' {engine}".rstrip(),
        "manifest-src 'self'",
        "base-uri 'none'",
        f"form-action 'self' {engine}".rstrip(),
        "object-src 'none'",
    ]
    return "; ".join(parts)


def _hash(script: str) -> str:
    digest = hashlib.sha256(script.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
