"""Read the code that the site shows; the same files are run by tests: `packages/website/snippets`."""

from __future__ import annotations

import json
import re
from typing import Any

from scripts import ROOT
from scripts.website.highlight import highlighted

FOLDER = ROOT / "packages/website/snippets"
_VERSION = re.compile(r'__version__ = "([^"]+)"')


def snippets() -> dict[str, dict[str, str]]:
    """Return the text and the HTML of each file, by its name without the suffix's dot."""
    return {
        path.name: {
            "text": path.read_text("utf-8"),
            "html": highlighted(path.read_text("utf-8"), path.suffix[1:]),
        }
        for path in sorted(FOLDER.iterdir())
    }


def versions() -> dict[str, str]:
    """Return the versions of the packages that the code was run with."""
    package: dict[str, Any] = json.loads((ROOT / "packages/js-sdk/package.json").read_text("utf-8"))
    return {
        "python": _version_in("packages/python-sdk/src/arcrun/_version.py"),
        "javascript": str(package["version"]),
        "engine": _version_in("packages/server/src/arcrun_server/_version.py"),
    }


def _version_in(path: str) -> str:
    found = _VERSION.search((ROOT / path).read_text("utf-8"))
    if found is None:
        raise ValueError(f"{path} has no __version__")
    return found[1]
