"""Measure what the JavaScript SDK costs over bare `fetch`: an import, a call, and its size in a bundle."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from scripts import ROOT
from scripts.bench.figures import Figure
from scripts.engine import engine_with_accounts

if TYPE_CHECKING:
    from collections.abc import Iterator

SDK = ROOT / "packages" / "js-sdk"


def measure() -> Iterator[Figure]:
    """Measure on the Node.js of this environment; the SDK must have been built."""
    yield from _size()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        with engine_with_accounts(Path(sys.executable), data, data / "log") as engine:
            command = ["node", str(SDK / "bench" / "bench.mjs"), engine.url, engine.keys[0]]
            found = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    call, loaded = found["call"], found["import"]
    note = f"{found['node']}, bare fetch: {call['fetch_ms']:.2f} ms a call; ours {call['sdk_ms']:.2f} ms"
    yield Figure("JavaScript: one call", call["ratio"], "×", 1.10, note)
    note = f"an empty module: {loaded['empty_ms']:.1f} ms; ours {loaded['sdk_ms']:.1f} ms"
    yield Figure("JavaScript: import", loaded["over_ms"], "ms", 10, note)


def _size() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        whole = sum(_gzipped(path) for path in _bundle(Path(folder)))
    note = "min + gzip, esbuild, neutral platform, `import {Arcrun}`, one file with everything"
    yield Figure("JavaScript: bundle", whole / 1000, "kB", 13.5, note)


def _bundle(folder: Path) -> list[Path]:
    """Bundle `import {Arcrun}` into a folder; return the files that esbuild wrote."""
    entry = folder / "entry.js"
    entry.write_text(f'export {{ Arcrun }} from "{(SDK / "dist" / "index.js").as_posix()}";\n')
    out = folder / "out"
    command = [str(SDK / "node_modules" / ".bin" / "esbuild"), str(entry), "--bundle", "--minify"]
    command += ["--format=esm", "--platform=neutral", "--log-level=error", f"--outdir={out}"]
    subprocess.run(command, check=True, cwd=folder)
    return list(out.iterdir())


def _gzipped(path: Path) -> int:
    return len(gzip.compress(path.read_bytes(), 9, mtime=0))
