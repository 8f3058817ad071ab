"""Check what is inside the npm package: the files that package.json names, and nothing else."""

from __future__ import annotations

import json
import re
import tarfile
from typing import TYPE_CHECKING

from scripts.release import git
from scripts.release.artifacts import SECRET, OverBudget, StrayFile
from scripts.release.versions import NPM_FOLDER

if TYPE_CHECKING:
    from pathlib import Path

# Files that are packed as they are checked out, and those that the build writes.
AS_CHECKED_OUT = ("package.json", "README.md", "LICENSE")
BUILT = re.compile(r"dist/(index\.(js|cjs|d\.ts|d\.cts)|node\.(js|cjs))")
# Fields of package.json that name other packages, and scripts that run on installation.
DEPENDENCIES = ("dependencies", "peerDependencies", "optionalDependencies", "bundleDependencies")
INSTALL_SCRIPTS = ("preinstall", "install", "postinstall", "prepare")

# The largest size of the tarball, in kilobytes: its size today and a small margin. It grew by 13 kB with events of runs and
# with backtests: each module is in it twice, for `import` and for `require`.
BUDGET = 190


def check_contents(tarball: Path, root: Path) -> int:
    """Check every file of the package; return how many there are.

    Raises:
        StrayFile: A file does not belong there, the build read a file that git does not track, or
            package.json has dependencies or install scripts; the message lists each.
    """
    faults: list[str] = []
    with tarfile.open(tarball) as archive:
        members = archive.getmembers()
        for member in members:
            stream = archive.extractfile(member) if member.isfile() else None
            content = stream.read() if stream else b""
            if fault := _fault(member, content, root):
                faults.append(f"{member.name}: {fault}")
    faults += _missing({member.name for member in members})
    faults += [f"{name}: git does not track it, but the build read it" for name in untracked(root)]
    faults += _forbidden_fields(json.loads((root / NPM_FOLDER / "package.json").read_text("utf-8")))
    if faults:
        listing = "\n".join(f"  {fault}" for fault in faults)
        raise StrayFile(
            f"{tarball.name} has contents that are not allowed:\n{listing}\n"
            f"correct them in {NPM_FOLDER}, or allow them in scripts/release/npm/contents.py and say why"
        )
    return len(members)


def check_budget(tarball: Path) -> str:
    """Compare the size of the tarball with its budget; return the used share.

    Raises:
        OverBudget: Names the size and the budget.
    """
    kilobytes = tarball.stat().st_size / 1000
    if kilobytes > BUDGET:
        raise OverBudget(
            f"{tarball.name} has {kilobytes:.1f} kB, and its budget is {BUDGET} kB: make it "
            "smaller, or raise BUDGET in scripts/release/npm/contents.py and say why"
        )
    return f"{kilobytes / BUDGET:.0%}"


def untracked(root: Path) -> list[str]:
    """List the package's sources that git neither tracks nor ignores."""
    folder = f"{NPM_FOLDER}/src"
    return sorted({*git.files(root, folder)} - {*git.tracked_files(root, folder)})


def _fault(member: tarfile.TarInfo, content: bytes, root: Path) -> str | None:
    name = member.name.removeprefix("package/")
    if not member.isfile():
        return "not a regular file"
    if SECRET.search(content):
        return "looks like a key"
    if member.mode != 0o644:
        return f"has the mode {member.mode:o}, not 644"
    if name in AS_CHECKED_OUT:
        same = content == (root / NPM_FOLDER / name).read_bytes()
        return None if same else "changed since it was checked out"
    return None if BUILT.fullmatch(name) else "not of an allowed kind"


def _missing(names: set[str]) -> list[str]:
    built = [f"dist/index.{kind}" for kind in ("js", "cjs", "d.ts", "d.cts")]
    built += ["dist/node.js", "dist/node.cjs"]
    needed = {f"package/{name}" for name in (*AS_CHECKED_OUT, *built)}
    return [f"{name}: missing" for name in sorted(needed - names)]


def _forbidden_fields(manifest: dict[str, object]) -> list[str]:
    scripts = manifest.get("scripts", {})
    names = scripts if isinstance(scripts, dict) else {}
    found = [name for name in DEPENDENCIES if manifest.get(name)]
    found += [f"scripts.{name}" for name in INSTALL_SCRIPTS if name in names]
    return [
        f"package.json: {field}: dependencies and install scripts are forbidden" for field in found
    ]
