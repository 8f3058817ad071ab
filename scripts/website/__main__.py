"""Build the site: `nox -s website`.

1. what it shows of the engine and of the documents is written to `packages/website/src/generated`;
2. Next.js exports the pages to `packages/website/out`;
3. each page gets its Content-Security-Policy;
4. what each page loads is measured against a bare one.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import yaml

from scripts import ROOT
from scripts.website.catalog import catalog
from scripts.website.conformance import newest_report
from scripts.website.documents import documents
from scripts.website.policy import write_policies
from scripts.website.sizes import BUDGET, first_load, over_budget, pages
from scripts.website.snippets import snippets, versions

if TYPE_CHECKING:
    from collections.abc import Sequence

SITE = ROOT / "packages/website"
EXPORT = SITE / "out"
BARE = SITE / "bare"
GENERATED = SITE / "src/generated"
ENGINE = "NEXT_PUBLIC_ENGINE_URL"


def generate() -> None:
    """Write what the pages are made from."""
    GENERATED.mkdir(parents=True, exist_ok=True)
    _write("catalog", catalog())
    _write("documents", documents())
    _write("conformance", newest_report(ROOT / "reports"))
    _write("snippets", {"files": snippets(), "versions": versions()})


def _write(name: str, value: Any) -> None:
    text = json.dumps(value, ensure_ascii=False, indent=1)
    (GENERATED / f"{name}.json").write_text(text + "\n", "utf-8")


def export(engine: str) -> None:
    """Export the pages, with their policies."""
    _copy_reference()
    _npm("run", "build", **{ENGINE: engine})
    _npm("run", "lint")
    count = write_policies(EXPORT, engine)
    print(f"{count} pages in {EXPORT.relative_to(ROOT)}")


def _copy_reference() -> None:
    """Copy the contract, and Swagger UI, to where the page of the reference finds them."""
    contract = ROOT / "openapi/arcrun.yaml"
    shutil.copy(contract, SITE / "public/arcrun.yaml")
    document = yaml.safe_load(contract.read_text("utf-8"))
    text = json.dumps(document, ensure_ascii=False, default=str)
    (SITE / "public/arcrun.json").write_text(text, "utf-8")
    folder = SITE / "public/swagger-ui"
    folder.mkdir(exist_ok=True)
    for name in ("swagger-ui.css", "swagger-ui-bundle.js"):
        shutil.copy(SITE / "node_modules/swagger-ui-dist" / name, folder / name)


def measure() -> bool:
    """Print what each page loads; return whether all keep to the budget."""
    _npm("run", "build", "--", "bare")
    bare = first_load(BARE / "out", BARE / "out/index.html")
    loads = pages(EXPORT)
    print(
        f"JavaScript of the first load, gzip: a bare page {bare:,} bytes, and beyond that at most {BUDGET:,}"
    )
    for name, size in loads.items():
        print(f"  {name:40} {size - bare:+8,}")
    excess = over_budget(loads, bare)
    for name, more in excess.items():
        print(
            f"{name} loads {more:,} bytes more than a bare page; {BUDGET:,} is the limit",
            file=sys.stderr,
        )
    return not excess


def _npm(*arguments: str, **environment: str) -> None:
    quiet = {"NEXT_TELEMETRY_DISABLED": "1", "NO_UPDATE_NOTIFIER": "1", **environment}
    npm = shutil.which("npm") or "npm"  # on Windows the name has a suffix
    subprocess.run([npm, *arguments], cwd=SITE, check=True, env={**os.environ, **quiet})


def main(arguments: Sequence[str] | None = None) -> int:
    """Build the site; return 1 if a page is too large, or a step failed."""
    parser = argparse.ArgumentParser(prog="nox -s website --", description="Build the site.")
    parser.add_argument(
        "--engine",
        default="",
        metavar="URL",
        help="origin of the engine that the pages call; by default the one that serves them",
    )
    parser.add_argument("--generate", action="store_true", help="only write src/generated")
    options = parser.parse_args(arguments)
    started = time.monotonic()
    generate()
    if options.generate:
        return 0
    try:
        _npm("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent")
        export(options.engine.rstrip("/"))
        kept = measure()
    except subprocess.CalledProcessError as error:
        print(f"the site is not built: {error}", file=sys.stderr)
        return 1
    print(f"built in {time.monotonic() - started:.0f} s")
    return 0 if kept else 1


if __name__ == "__main__":
    raise SystemExit(main())
