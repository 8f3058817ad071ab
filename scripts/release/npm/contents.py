"""What may be inside the npm package: what package.json promises, and nothing else."""

from __future__ import annotations

import json
import re
import subprocess
import tarfile
from typing import TYPE_CHECKING

from scripts.release.python.contents import SECRET, OverBudget, StrayFile
from scripts.release.versions import NPM_FOLDER

if TYPE_CHECKING:
    from pathlib import Path

# Files that are packed as they are checked out, and the kinds that the build makes.
AS_CHECKED_OUT = ("package.json", "README.md", "LICENSE")
BUILT = re.compile(r"dist/(index\.(js|cjs|d\.ts|d\.cts)|[a-z]+-[0-9A-Z]{8}\.js)")
# Package.json's fields through which a package pulls in others, and scripts that run when installed.
PULLS_IN = ("dependencies", "peerDependencies", "optionalDependencies", "bundleDependencies")
RUNS = ("preinstall", "install", "postinstall", "prepare")

# The most that the tarball may weigh, in kilobytes: what it weighs today and a little air.
BUDGET = 75


def check(tarball: Path, root: Path) -> int:
    """Check every file of the package; return how many there are.

    Raises:
        StrayFile: Some file does not belong there, was built from a file that git does not track,
            or package.json brings something along; the message lists each.
        OverBudget: The tarball weighs too much.
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
    faults += [f"{name}: git does not track it, and the build read it" for name in untracked(root)]
    faults += _brings_along(json.loads((root / NPM_FOLDER / "package.json").read_text("utf-8")))
    if faults:
        listing = "\n".join(f"  {fault}" for fault in faults)
        raise StrayFile(
            f"{tarball.name} is not what belongs there:\n{listing}\n"
            f"mend it in {NPM_FOLDER}, or allow it in scripts/release/npm/contents.py and say why"
        )
    return len(members)


def check_budget(tarball: Path) -> str:
    """Hold the tarball to its budget; return how much of it is used.

    Raises:
        OverBudget: With the weight and the budget.
    """
    kilobytes = tarball.stat().st_size / 1000
    if kilobytes > BUDGET:
        raise OverBudget(
            f"{tarball.name} weighs {kilobytes:.1f} kB, and its budget is {BUDGET} kB: make it "
            "smaller, or raise BUDGET in scripts/release/npm/contents.py and say why"
        )
    return f"{kilobytes / BUDGET:.0%}"


def untracked(root: Path) -> list[str]:
    """List the package's sources that git neither tracks nor ignores."""
    answer = subprocess.run(
        ["git", "ls-files", "-z", "--others", "--exclude-standard", "--", f"{NPM_FOLDER}/src"],
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    )
    return sorted(filter(None, answer.stdout.split("\0")))


def _fault(member: tarfile.TarInfo, content: bytes, root: Path) -> str | None:
    name = member.name.removeprefix("package/")
    if not member.isfile():
        return "not a plain file"
    if SECRET.search(content):
        return "looks like a key"
    if member.mode != 0o644:
        return f"has the mode {member.mode:o}, not 644"
    if name in AS_CHECKED_OUT:
        same = content == (root / NPM_FOLDER / name).read_bytes()
        return None if same else "not as it is checked out"
    return None if BUILT.fullmatch(name) else "of no allowed kind"


def _missing(names: set[str]) -> list[str]:
    built = [f"dist/index.{kind}" for kind in ("js", "cjs", "d.ts", "d.cts")]
    needed = {f"package/{name}" for name in (*AS_CHECKED_OUT, *built)}
    return [f"{name}: missing" for name in sorted(needed - names)]


def _brings_along(manifest: dict[str, object]) -> list[str]:
    scripts = manifest.get("scripts", {})
    runs = [f"scripts.{name}" for name in RUNS if isinstance(scripts, dict) and name in scripts]
    pulls = [name for name in PULLS_IN if manifest.get(name)]
    return [f"package.json: {field}: the package brings nothing along" for field in pulls + runs]
