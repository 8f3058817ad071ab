"""Turn a checkout into one that has had a release, and is about to have the next: for rehearsals that must fail."""

from __future__ import annotations

import datetime as dt
import subprocess
from typing import TYPE_CHECKING

from scripts.release.compatibility.baseline import release_numbers
from scripts.release.versions import (
    NPM_FOLDER,
    PACKAGES,
    SERVER_JSON,
    agreed_version,
    version_file,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def begin_next_release(root: Path, *, minor: bool = False, breaking: Sequence[str] = ()) -> str:
    """Tag the checked-out commit as released, state the next version everywhere, and return it.

    Args:
        root: The checkout.
        minor: Whether the next version is the next minor one, rather than the next patch.
        breaking: What the changelog says behind `**Breaking**:`, an item each.
    """
    last = agreed_version(root)
    tag = ["git", "tag", "--force", f"v{last}"]
    subprocess.run(tag, cwd=root, check=True, capture_output=True)
    major, middle, patch = release_numbers(last)
    version = f"{major}.{middle + 1}.0" if minor else f"{major}.{middle}.{patch + 1}"
    stating = [version_file(root, package) for package in PACKAGES]
    stating += [root / NPM_FOLDER / name for name in ("package.json", "src/version.ts")]
    for path in stating:
        path.write_text(path.read_text("utf-8").replace(f'"{last}"', f'"{version}"', 1), "utf-8")
    entry = root / SERVER_JSON  # states it twice: for the server, and for its package
    entry.write_text(entry.read_text("utf-8").replace(f'"{last}"', f'"{version}"'), "utf-8")
    items = ["- A release.", *(f"- **Breaking**: {each}" for each in breaking)]
    changelog = root / "CHANGELOG.md"
    news, text = "\n".join(items), changelog.read_text("utf-8")
    before, today = f"## [{last}] - ", dt.datetime.now(dt.timezone.utc).date()
    changelog.write_text(
        text.replace(before, f"## [{version}] - {today}\n\n{news}\n\n{before}", 1), "utf-8"
    )
    return agreed_version(root)  # it raises if a file that states the version was left out
