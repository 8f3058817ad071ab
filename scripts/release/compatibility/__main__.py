"""Say what the next version must be at least, and why.

`nox -s next_version` compares the checkout with the last release; `-- --against REV` with a commit, a branch or a tag.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from scripts import ROOT
from scripts.console import exit_code
from scripts.release import changelog, git
from scripts.release.compatibility import baseline, gate
from scripts.release.compatibility.named_breaks import MARK, unnamed
from scripts.release.compatibility.reading import PartUnreadable
from scripts.release.foreign import in_a_line, visible
from scripts.release.versions import VersionMismatch, agreed_version


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Print the next version and each difference; return 0, or 2 where it can't be said."""
    parser = argparse.ArgumentParser(prog="nox -s next_version --", description=__doc__)
    parser.add_argument("--against", metavar="REV", help="compare with this commit")
    options = parser.parse_args(arguments)
    try:
        git.require_checkout(root)
        with tempfile.TemporaryDirectory(prefix="arcrun-baseline-") as work:
            against = (
                baseline.named(root, options.against, Path(work))
                if options.against
                else baseline.last_release(root, agreed_version(root))
            )
        if against is None:
            print(f"{baseline.FIRST}; the version is {agreed_version(root)}")
            return 0
        _show(root, gate.compare(root, against))
    except (
        git.CheckoutUnusable,
        baseline.UnknownBaseline,
        changelog.ChangelogInvalid,
        PartUnreadable,
        VersionMismatch,
    ) as problem:
        print(visible(str(problem)), file=sys.stderr)
        return 2
    return 0


def _show(root: Path, compared: gate.Compared) -> None:
    """Print the version, why, and what the changelog does not name yet."""
    breaking, against = compared.breaking, compared.against
    additions = [each for each in compared.differences if not each.breaking]
    print(
        f"the next version must be at least {compared.required}: {len(breaking)} breaking differences "
        f"and {len(additions)} additions since {against.version} ({against.name})"
    )
    for each in [*breaking, *additions]:
        print(f"  {in_a_line(str(each))}")
    entry = "".join(changelog.text_of(root, name) for name in ("Unreleased", compared.required))
    missing = unnamed(entry, breaking)
    if missing:
        print(f"CHANGELOG.md names these in no item `{MARK} …`:")
        for names in dict.fromkeys(each.names for each in missing):
            print(f"  {in_a_line(' and '.join(f'`{name}`' for name in names))}")


if __name__ == "__main__":
    raise SystemExit(exit_code(main))
