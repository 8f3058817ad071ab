"""Measure what the JavaScript SDK costs over bare `fetch`: an import, a call, and its size in a bundle."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
        outputs = _bundle(Path(folder), "--splitting")
        at_once = sum(_gzipped(Path(folder) / name) for name in _loaded_at_once(outputs))
    with tempfile.TemporaryDirectory() as folder:
        whole = sum(_gzipped(Path(folder) / name) for name in _bundle(Path(folder)))
    note = "min + gzip, esbuild, neutral platform, `import {Arcrun}`, one file with everything"
    yield Figure("JavaScript: bundle", whole / 1000, "kB", 8, note)
    note = "the same with code splitting: what is loaded before the first call"
    yield Figure("JavaScript: loaded at once", at_once / 1000, "kB", 8, note)


def _bundle(folder: Path, *options: str) -> dict[str, Any]:
    """Bundle `import {Arcrun}` into a folder; return esbuild's outputs by file name."""
    entry = folder / "entry.js"
    entry.write_text(f'export {{ Arcrun }} from "{(SDK / "dist" / "index.js").as_posix()}";\n')
    out, meta = folder / "out", folder / "meta.json"
    command = [str(SDK / "node_modules" / ".bin" / "esbuild"), str(entry), "--bundle", "--minify"]
    command += ["--format=esm", "--platform=neutral", "--log-level=error", *options]
    command += ["--external:node:crypto", f"--outdir={out}", f"--metafile={meta}"]
    subprocess.run(command, check=True, cwd=folder)
    outputs: dict[str, Any] = json.loads(meta.read_text("utf-8"))["outputs"]
    return outputs


def _loaded_at_once(outputs: dict[str, Any]) -> set[str]:
    """Return the files that the entry imports statically."""
    waiting = [
        name
        for name, output in outputs.items()
        if output.get("entryPoint", "").endswith("entry.js")
    ]
    found: set[str] = set()
    while waiting:
        name = waiting.pop()
        found.add(name)
        links = outputs[name]["imports"]
        static = [each["path"] for each in links if each["kind"] == "import-statement"]
        waiting += [path for path in static if path in outputs and path not in found]
    return found


def _gzipped(path: Path) -> int:
    return len(gzip.compress(path.read_bytes(), 9, mtime=0))
