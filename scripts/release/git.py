"""Ask git what is checked out, by plumbing commands whose answers no configuration changes."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypedDict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_SYMBOLIC_LINK, _SUBMODULE = "120000", "160000"
_NEUTRAL = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "LC_ALL": "C.UTF-8",
}
_NAMING_A_REPOSITORY = frozenset(
    f"GIT_{name}"
    for name in (
        *("DIR", "WORK_TREE", "COMMON_DIR", "INDEX_FILE", "PREFIX", "NAMESPACE", "SHALLOW_FILE"),
        *("OBJECT_DIRECTORY", "ALTERNATE_OBJECT_DIRECTORIES", "GRAFT_FILE", "REPLACE_REF_BASE"),
    )
)
# What the configuration of the checkout itself could say. `require_checkout` has asked whether it is trusted.
_OPTIONS = ("core.fsmonitor=false", f"core.excludesFile={os.devnull}", "safe.directory=*")


class CheckoutUnusable(Exception):
    """A release can't be made from this folder; the message says why, in one sentence."""


class GitState(TypedDict):
    """What is checked out.

    Attributes:
        commit: The hash of the commit.
        dirty: Whether files differ from it.
        changed: The names of these files.
    """

    commit: str
    dirty: bool
    changed: list[str]


class Held(NamedTuple):
    """A file as a commit holds it: its mode, in octal digits, and the hash of its content."""

    mode: str
    hash: str


def require_checkout(root: Path) -> None:
    """Check that git can read the checkout; whether it may is the caller's own configuration.

    Raises:
        CheckoutUnusable: It can't.
    """
    environment = {**_without_git(os.environ), "LC_ALL": "C.UTF-8"}
    try:
        ran = _run(root, ["git", "rev-parse", "--show-toplevel"], environment)
    except FileNotFoundError:
        raise CheckoutUnusable(
            "git was not found: a release is made from a commit, so install git"
        ) from None
    told = os.fsdecode(ran.stderr).strip()
    if ran.returncode and ("dubious ownership" in told or "unsafe repository" in told):
        raise CheckoutUnusable(
            f"{root} belongs to another user, and git does not read it: if you trust it, "
            f"run git config --global --add safe.directory '{root}'"
        )
    found = os.fsdecode(ran.stdout).rstrip("\n")
    if ran.returncode and (root / ".git").exists():
        raise CheckoutUnusable(f"git can't read {root}: {told}")
    if ran.returncode or not Path(found).samefile(root):
        raise CheckoutUnusable(
            f"{root} is no git checkout: a release is made from a commit, so clone the repository"
        )
    head_commit(root)


def git_state(root: Path) -> GitState:
    """Return the commit that is checked out, and which files differ from it."""
    changed = [os.fsencode(name).decode("utf-8", "replace") for name in changed_files(root)]
    return {"commit": head_commit(root), "dirty": bool(changed), "changed": changed}


def head_commit(root: Path) -> str:
    """Return the hash of the checked-out commit.

    Raises:
        CheckoutUnusable: There is none.
    """
    try:
        return os.fsdecode(_git(root, "rev-parse", "--verify", "HEAD^{commit}")).strip()
    except subprocess.CalledProcessError:
        raise CheckoutUnusable(f"{root} has no commit, and a release is made from one") from None


def resolve(root: Path, name: str) -> str | None:
    """Return the hash of the commit that a full name of a reference leads to; None where there is none."""
    try:
        return os.fsdecode(
            _git(root, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
        ).strip()
    except subprocess.CalledProcessError:
        return None


def is_annotated(root: Path, tag: str) -> bool:
    """Tell whether a tag is an object of its own, which says who has tagged, and when."""
    return _git(root, "cat-file", "-t", f"refs/tags/{tag}").strip() == b"tag"


def is_on_main(root: Path, commit: str) -> bool:
    """Tell whether a commit is on main, as the remote has it, or where no remote has one, here."""
    known = (resolve(root, name) for name in ("refs/remotes/origin/main", "refs/heads/main"))
    main = next((found for found in known if found), None)
    if main is None:
        return False
    try:
        _git(root, "merge-base", "--is-ancestor", commit, main)
    except subprocess.CalledProcessError:
        return False
    return True


def committer(root: Path) -> str:
    """Return who the caller is, as their git configuration says: a name and an address."""
    ran = _run(root, ["git", "var", "GIT_AUTHOR_IDENT"], os.environ)
    return os.fsdecode(ran.stdout).rpartition(">")[0] + ">" if ran.returncode == 0 else "unknown"


def commit_time(root: Path) -> str:
    """Return the time of the checked-out commit, in Unix seconds: the date of all files in artifacts."""
    return _commit_time(root, "HEAD")


def committed_at(root: Path, commit: str) -> int | None:
    """Return when a commit was made, by its hash, in Unix seconds; None where the checkout does not have it."""
    try:
        return int(_commit_time(root, f"{commit}^{{commit}}"))
    except (subprocess.CalledProcessError, OSError):
        return None


def _commit_time(root: Path, commit: str) -> str:
    header, _, _ = _git(root, "cat-file", "commit", commit).partition(b"\n\n")
    (committer,) = [line for line in header.split(b"\n") if line.startswith(b"committer ")]
    return committer.split()[-2].decode()


def files(root: Path, folder: str = ".") -> list[str]:
    """List the files that git tracks, or would track: those that no .gitignore of the checkout names."""
    listed = ("--cached", "--others", "--exclude-per-directory=.gitignore")
    return _names(_git(root, "ls-files", "-z", *listed, "--", folder))


def tracked_files(root: Path, folder: str) -> list[str]:
    """List the files below a folder that git tracks."""
    return _names(_git(root, "ls-files", "-z", "--cached", "--", folder))


def tags(root: Path) -> dict[str, str]:
    """Return the tags that are ancestors of the checked-out commit or point at it, each with its commit."""
    shown = "--format=%(refname:lstrip=2)%00%(objectname)%00%(*objectname)"
    listed = os.fsdecode(_git(root, "for-each-ref", "--merged=HEAD", shown, "refs/tags/"))
    found = (line.split("\0") for line in listed.splitlines())
    return {name: peeled or direct for name, direct, peeled in found}


def is_shallow(root: Path) -> bool:
    """Tell whether the checkout lacks earlier commits, and so may lack tags."""
    return _git(root, "rev-parse", "--is-shallow-repository").strip() == b"true"


def commit_of(root: Path, revision: str) -> str:
    """Return the hash of the commit that a tag, a branch or a hash names.

    Raises:
        CheckoutUnusable: There is none.
    """
    try:
        asked = ("--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        return os.fsdecode(_git(root, "rev-parse", *asked)).split()[-1]
    except subprocess.CalledProcessError:
        raise CheckoutUnusable(
            f"{root} has no commit {revision!r}: name a tag, a branch or a hash"
        ) from None


def write_files(root: Path, commit: str, paths: Sequence[str], target: Path) -> None:
    """Write the files below some paths into a folder, as a commit holds them; paths that it lacks are left out."""
    listed = _git(root, "ls-tree", "-r", "-z", "--full-tree", commit, "--", *paths)
    entries = [entry.partition("\t") for entry in _names(listed)]
    files = {name: facts.split()[2] for facts, _, name in entries if facts.split()[1] == "blob"}
    asked = "".join(f"{digest}\n" for digest in files.values())
    answered = io.BytesIO(_git(root, "cat-file", "--batch", given=asked.encode()))
    for name in files:
        size = int(answered.readline().split()[2])
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(answered.read(size))
        answered.read(1)


def changed_files(root: Path) -> list[str]:
    """List the files that differ from what the commit holds, and those that it lacks.

    Contents are compared, not what git's index says of them, which can be told to overlook changes.
    """
    held = _held(root)
    names = held.keys() | set(files(root))
    return sorted(name for name in names if not _is_held(root / name, held.get(name)))


def _held(root: Path) -> dict[str, Held]:
    entries = _names(_git(root, "ls-tree", "-r", "-z", "--full-tree", "HEAD"))
    found = {}
    for entry in entries:
        facts, _, name = entry.partition("\t")
        mode, _, digest = facts.split()
        found[name] = Held(mode, digest)
    return found


def _is_held(path: Path, held: Held | None) -> bool:
    if held is None:
        return False
    if held.mode == _SUBMODULE:
        return True
    if held.mode == _SYMBOLIC_LINK:
        return path.is_symlink() and _hash(os.fsencode(path.readlink()), held) == held.hash
    if path.is_symlink() or not path.is_file():
        return False
    executable = bool(path.stat().st_mode & 0o100)
    same_mode = os.name == "nt" or executable == (held.mode == "100755")
    return same_mode and _hash(path.read_bytes(), held) == held.hash


def _hash(content: bytes, held: Held) -> str:
    """Return the hash under which git keeps a content: SHA-1, or SHA-256 where the checkout uses it."""
    name = "sha1" if len(held.hash) == 40 else "sha256"
    return hashlib.new(
        name, b"blob %d\0" % len(content) + content, usedforsecurity=False
    ).hexdigest()


def _names(listed: bytes) -> list[str]:
    return sorted({os.fsdecode(name) for name in listed.split(b"\0") if name})


def _git(root: Path, *arguments: str, given: bytes | None = None) -> bytes:
    options = [part for option in _OPTIONS for part in ("-c", option)]
    ran = _run(root, ["git", *options, *arguments], {**_without_git(os.environ), **_NEUTRAL}, given)
    ran.check_returncode()
    return ran.stdout


def _run(
    root: Path,
    command: list[str],
    environment: Mapping[str, str],
    given: bytes | None = None,
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        command, cwd=root, env=environment, check=False, capture_output=True, input=given
    )


def without_repository(variables: Mapping[str, str]) -> dict[str, str]:
    """Return variables without those that name a repository: with them, git looks nowhere else.

    Git's own hooks are run with them. What says how others are reached, as GIT_SSH_COMMAND, is kept.
    """
    return {name: value for name, value in variables.items() if name not in _NAMING_A_REPOSITORY}


def _without_git(variables: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in variables.items() if not name.startswith("GIT_")}
