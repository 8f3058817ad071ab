"""Check what is inside a Python artifact: tracked source files of known kinds, and nothing else."""

from __future__ import annotations

import re
import tarfile
import zipfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from scripts.release import git
from scripts.release.artifacts import SECRET, OverBudget, StrayFile
from scripts.release.versions import PACKAGES, SDK, module_of

if TYPE_CHECKING:
    from scripts.release.artifacts import Artifact

# The kinds of files that belong in each wheel; paths are relative to the import package.
_CODE = (r".+\.py", r"py\.typed")
WHEEL_KINDS = {
    SDK: (*_CODE, r"commands/example/[\w./-]+"),  # what `acr init` makes
    "arcrun-server": (
        *_CODE,
        r"contract/arcrun\.yaml",
        r"catalog/.+\.yaml",
        r"docs/[\w.-]+",
        r"workers/(?:prelude|sha256)\.js",  # what the sandbox for code begins with
    ),
    "arcrun-conformance": (
        *_CODE,
        r"schemas/.+\.json",
        r".+\.schema\.json",
        r"report/[\w.-]+\.(?:html|css|js)",
        r"data/.+\.(?:yaml|json|py|sh|js|mjs|cjs|go|rb|md)",
    ),
}
_NEVER = re.compile(r"\.(pth|pyc|so|key|pem|db|sqlite3?)$|(^|/)\.env")
_TEST = re.compile(r"(^|/)(tests?/|test_[^/]*\.py$|conftest\.py$|\.)")
_METADATA = re.compile(
    r"PKG-INFO|[\w.]+-[\w.]+\.dist-info/(METADATA|WHEEL|RECORD|entry_points\.txt|licenses/LICENSE)"
)

# The largest size of each wheel, in kilobytes: its size today and a small margin. That of the harness is for the most
# part scenarios, each a file that is compressed by itself.
# They grew by 35 kB with the scenarios that the audits of the SDK suite brought.
# It grew by 19 kB with the vectors of hostile values in prompts, and by 90 kB with the scenarios and mutants of prompt
# recipes, the knowledge base, code and the catalog of components.
# It grew again with the scenarios and mutants of language models, and with the requirements of docs/prompt-recipes.md.
# That of the server grew by 120 kB with the knowledge base, prompt recipes, the sandbox, and the providers of models.
# That of `arcrun` grew by 8 kB with the deadline of a whole call and with what keeps secrets out of exceptions, and by 14
# kB with prompt recipes and the catalog of components. Both grew with durable runs, by 5 and by 30 kB, and with versions
# of recipes and what nodes say about failures.
# All three grew with events of runs and backtests: `arcrun` by 8 kB, twice, since it has them with and without async.
# The server also with schedules, webhooks, metrics, spans, backups and `doctor`, by 100 kB in all.
# `arcrun` grew by 122 kB with the command line and the MCP server, which are two fifths of its code; the server by 50 kB
# with log-ins, devices and keys that can be replaced, and the harness with the scenarios and mutants of those.
# `arcrun` grew by 30 kB more: every text in Chinese too, types of all results, checks of every response that a command
# reads, and the limits of the MCP server over HTTP.
WHEEL_BUDGETS = {SDK: 320, "arcrun-server": 680, "arcrun-conformance": 1330}


def check_contents(artifact: Artifact, root: Path) -> int:
    """Check every file of one artifact; return how many there are.

    Raises:
        StrayFile: A file is not tracked by git, is not of an allowed kind, or holds a secret.
    """
    members = _wheel_members(artifact.path) if artifact.is_wheel else _sdist_members(artifact.path)
    tracked = _tracked(root, PACKAGES[artifact.package])
    faults = [
        f"  {name}: {fault}"
        for name, content in members.items()
        if (fault := _fault(artifact, name, content, tracked))
    ]
    if faults:
        listing = "\n".join(faults)
        raise StrayFile(
            f"{artifact.path.name} holds files that do not belong there:\n{listing}\n"
            "remove them, or add their kind to WHEEL_KINDS in scripts/release/python/contents.py"
        )
    return len(members)


def check_budgets(artifacts: list[Artifact]) -> str:
    """Compare the wheels with their budgets; return the one that is nearest to its own.

    Raises:
        OverBudget: Names the wheel, its size and its budget.
    """
    fullest = (0.0, "")
    for wheel in (each for each in artifacts if each.is_wheel):
        kilobytes, budget = wheel.size / 1000, WHEEL_BUDGETS[wheel.package]
        if kilobytes > budget:
            raise OverBudget(
                f"{wheel.path.name} has {kilobytes:.1f} kB, and its budget is {budget} kB: make it "
                "smaller, or raise WHEEL_BUDGETS in scripts/release/python/contents.py and say why"
            )
        fullest = max(fullest, (kilobytes / budget, wheel.package))
    return f"{fullest[1]} {fullest[0]:.0%}"


def _fault(
    artifact: Artifact, name: str, content: bytes, tracked: dict[str, list[bytes]]
) -> str | None:
    if SECRET.search(content):
        return "looks like a key"
    if _METADATA.fullmatch(name):
        return None
    if fault := _kind_fault(artifact, name):
        return fault
    if content not in tracked.get(PurePosixPath(name).name, ()):
        return "not a file that git tracks, or changed since it was checked out"
    return None


def _kind_fault(artifact: Artifact, name: str) -> str | None:
    if not artifact.is_wheel:
        return "never belongs in an sdist" if _NEVER.search(name) else None
    folder = module_of(artifact.package) + "/"
    if not name.startswith(folder):
        return f"outside {folder}"
    inside = name.removeprefix(folder)
    if _NEVER.search(inside) or _TEST.search(inside):
        return "never belongs in a wheel"
    if not any(re.fullmatch(kind, inside) for kind in WHEEL_KINDS[artifact.package]):
        return "not of an allowed kind"
    return None


def _tracked(root: Path, folder: str) -> dict[str, list[bytes]]:
    """Map the file name of each tracked file to the contents found under it.

    Artifacts move files (`src/` is dropped, data is put inside the package), so a file is accepted
    if some tracked file of the same name has exactly its bytes.
    """
    found: dict[str, list[bytes]] = {".gitignore": [(root / ".gitignore").read_bytes()]}
    for name in git.tracked_files(root, folder):
        path = root / name
        if path.is_file():
            found.setdefault(path.name, []).append(path.read_bytes())
    return found


def _wheel_members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}


def _sdist_members(path: Path) -> dict[str, bytes]:
    with tarfile.open(path) as archive:
        files = {
            member.name.split("/", 1)[-1]: archive.extractfile(member)
            for member in archive.getmembers()
            if not member.isdir()
        }
        return {name: stream.read() if stream else b"" for name, stream in files.items()}
