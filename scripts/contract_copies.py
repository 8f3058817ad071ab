"""Keep the copies of the contract that packages ship equal to `openapi/arcrun.yaml`.

A wheel can contain only files of its own package, so the server has a copy.
`python -m scripts.contract_copies` writes the copies; `--check` fails on drift.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from scripts import ROOT

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = ROOT / "openapi" / "arcrun.yaml"
COPIES = (ROOT / "packages/server/src/arcrun_server/contract/arcrun.yaml",)


def stale_copies(source: Path, copies: tuple[Path, ...]) -> list[Path]:
    """Return the copies that are missing or differ from `source`."""
    text = source.read_bytes()
    return [copy for copy in copies if not copy.is_file() or copy.read_bytes() != text]


def main(arguments: list[str] | None = None) -> int:
    """Write the copies, or with `--check` print which of them differ; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail on drift")
    options = parser.parse_args(arguments)
    stale = stale_copies(SOURCE, COPIES)
    for copy in stale:
        if options.check:
            print(f"{copy.relative_to(ROOT)} differs from openapi/arcrun.yaml:", file=sys.stderr)
            print("  run: python -m scripts.contract_copies", file=sys.stderr)
        else:
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(SOURCE.read_bytes())
    return 1 if options.check and stale else 0


if __name__ == "__main__":
    raise SystemExit(main())
