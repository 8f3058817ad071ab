"""Rehearse in checkouts that no release can be made from, and in one that already has a rehearsal.

Each must say so in a sentence, or, where git is only configured otherwise, must not be changed by it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

from scripts.release.clones import (
    REHEARSAL,
    clone,
    evidence_of,
    rehearse,
    run_folder,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_NOBODY = 65534
_COMMIT_TIME = 1_700_000_000
_ITS_DATE = (2023, 11, 14, 22, 13, 20)  # of files in a wheel


def checks() -> dict[str, Callable[[Path], list[str]]]:
    """Return the check of each checkout, by name."""
    found: dict[str, Callable[[Path], list[str]]] = {
        "a tree that is not its commit": _dirty,
        "a tree that was checked out with other line ends": _line_ends,
        "a signed commit, and a git that shows signatures": _signed,
        "a machine without git": _without_git,
        "a folder without .git": _without_repository,
        "two rehearsals at once": _two_at_once,
    }
    if hasattr(os, "geteuid") and os.geteuid() == 0:  # nobody else can give files away
        found["a checkout of another user"] = _of_another_user
    return found


def _git(root: Path, *arguments: str) -> str:
    ran = subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True, text=True)
    return ran.stdout.strip()


def _dirty(work: Path) -> list[str]:
    """Change a file and add one, hide both from `git status`, and try to pass what is built off as released."""
    root = clone(work / "checkout")
    _git(root, "config", "status.showUntrackedFiles", "no")
    _git(root, "update-index", "--assume-unchanged", "README.md")
    (root / "README.md").write_text("改\n", "utf-8")
    (root / "notes.md").write_text("筆記\n", "utf-8")
    ended = rehearse(root, ["--python-only", "--only", "build"])
    document = evidence_of(root)
    state = document["git"]
    wrong = [] if ended.code == 0 else [f"it ended with {ended.code}: {ended.printed}"]
    if "not to be published" not in ended.printed or "README.md" not in ended.printed:
        wrong.append(f"it does not say so: {ended.printed}")
    if (state["dirty"], state["changed"]) != (True, ["README.md", "notes.md"]):
        wrong.append(f"the evidence says {state}")
    path = work / "release.json"
    path.write_text(json.dumps({**document, "decision": "GO", "version": "1"}), "utf-8")
    artifact = run_folder(root) / "dist" / document["artifacts"][0]["file"]
    verify = [
        sys.executable,
        "-m",
        "scripts.release.verify",
        str(artifact),
        "--evidence",
        str(path),
        "--offline",
    ]
    ran = subprocess.run(verify, cwd=root, check=False, capture_output=True, encoding="utf-8")
    if ran.returncode != 1 or "the working tree was not the commit" not in ran.stderr:
        wrong.append(f"verify ended with {ran.returncode}: {ran.stdout}{ran.stderr}")
    return wrong


def _line_ends(work: Path) -> list[str]:
    root = clone(work / "checkout", "-c", "core.autocrlf=true", "-c", "core.eol=crlf")
    ended = rehearse(root, ["--only", "versions"])
    state = evidence_of(root)["git"]
    fine = ended.code == 0 and not state["dirty"]
    return [] if fine else [f"it ended with {ended.code}, and the evidence says {state}"]


def _signed(work: Path) -> list[str]:
    """Let git show a signature where a rehearsal asks it for the commit's time."""
    root = clone(work / "checkout")
    header = _git(root, "cat-file", "commit", "HEAD").partition("\n\n")[0].splitlines()
    who = "A Signer <signer@example.invalid>"
    lines = [line for line in header if not line.startswith(("author", "committer"))]
    lines += [f"{role} {who} {_COMMIT_TIME} +0000" for role in ("author", "committer")]
    lines += ["gpgsig -----BEGIN PGP SIGNATURE-----", " ", " committer of lies 1 +0000"]
    path = work / "commit"
    path.write_text("\n".join([*lines, "", "message", ""]), "utf-8")
    _git(root, "reset", "--hard", _git(root, "hash-object", "-t", "commit", "-w", str(path)))
    _git(root, "config", "log.showSignature", "true")
    ended = rehearse(root, ["--python-only", "--only", "build"])
    if ended.code:
        return [f"it ended with {ended.code}: {ended.printed}"]
    dates = set()
    for wheel in (run_folder(root) / "dist").glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            dates |= {member.date_time for member in archive.infolist()}
    return [] if dates == {_ITS_DATE} else [f"the files in the wheels are of {sorted(dates)}"]


def _without_git(work: Path) -> list[str]:
    empty = work / "bin"
    empty.mkdir()
    root = clone(work / "checkout")
    return _refused(root, "git was not found", {**os.environ, "PATH": str(empty)})


def _without_repository(work: Path) -> list[str]:
    root = clone(work / "checkout")
    shutil.rmtree(root / ".git")
    return _refused(root, "is no git checkout")


def _of_another_user(work: Path) -> list[str]:
    root = clone(work / "checkout")
    for folder, _, names in os.walk(root):
        for name in (".", *names):
            os.chown(os.path.join(folder, name), _NOBODY, _NOBODY, follow_symlinks=False)  # noqa: PTH118
    home = work / "home"  # whose git trusts nothing
    home.mkdir()
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("GIT_", "XDG_"))}
    caller = {**environment, "HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1"}
    return _refused(root, "belongs to another user", caller)


def _refused(root: Path, why: str, env: dict[str, str] | None = None) -> list[str]:
    """Rehearse where that can't begin; return what is wrong with what it says."""
    ended = rehearse(root, ["--only", "versions"], env)
    said = ended.err.strip()
    fine = ended.code == 2 and said.startswith("NO-GO: ") and why in said and "\n" not in said
    return [] if fine else [f"it ended with {ended.code}: {ended.printed}"]


def _two_at_once(work: Path) -> list[str]:
    """Begin a second rehearsal while the first builds: it says which runs, and leaves that alone."""
    root = clone(work / "checkout")
    with subprocess.Popen(
        [*REHEARSAL, "--python-only", "--only", "build"],
        cwd=root,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    ) as first:
        for line in first.stdout or ():
            if "… build" in line:
                break
        second = rehearse(root, ["--only", "versions"])
        rest, _ = first.communicate()
    run = evidence_of(root)["run"]
    named = f"another rehearsal runs in this checkout (process {first.pid}, since "
    wrong = [] if first.returncode == 0 else [f"the first ended with {first.returncode}: {rest}"]
    if second.code != 2 or named not in second.printed or run not in second.printed:
        wrong.append(f"the second ended with {second.code}: {second.printed}")
    return wrong
