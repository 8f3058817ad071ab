"""Keep the results of a rehearsal apart until they are whole, and let only one rehearsal run in a checkout."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import secrets
import shutil
import sys
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from scripts.release.artifacts import sha256
from scripts.release.foreign import in_a_line

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    StrPath = str | os.PathLike[str]

# Where the checkout has the results of the last whole rehearsal. Other sessions have their own in `reports/`.
# The evidence is the last: when it is there, all of them are.
RESULTS = (
    *("dist", "reports/index.html", "reports/summary.md", "reports/failures"),
    *("reports/engine-suite", "evidence"),
)


class AlreadyRunning(Exception):
    """Another rehearsal runs in this checkout; the message says which, and since when."""


class NotWritable(Exception):
    """A rehearsal can't write into its checkout; the message says what is in the way."""


def new_run() -> str:
    """Return an id for a rehearsal: when it began, and something that no other has."""
    return f"{dt.datetime.now(dt.timezone.utc):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


@dataclass(frozen=True)
class Results:
    """Where one rehearsal writes, and what it leaves in the checkout.

    A rehearsal writes into a folder of its own, which stays until the next one, so that messages can name
    files in it. What the checkout shows of it appears when it has ended.

    Attributes:
        root: The checkout.
        run: The id of the rehearsal.
    """

    root: Path
    run: str

    @property
    def folder(self) -> Path:
        """Return the folder that this rehearsal writes into."""
        return self.root / ".arcrun" / "release" / "runs" / self.run

    def begin(self, *, whole: bool) -> None:
        """Remove the folders of earlier rehearsals, and before a whole one also their results.

        Raises:
            NotWritable: They can't be removed, or there is something else in their place.
        """
        runs = self.folder.parent
        if runs.is_symlink():  # what it leads to is not ours to remove
            raise NotWritable(
                f"{runs} is a link, and a rehearsal keeps its results there: remove it"
            )
        with _writing(runs):
            shutil.rmtree(runs, ignore_errors=True)
            self.folder.mkdir(parents=True)
            if whole:
                for name in RESULTS:
                    self._discard(name)

    def publish(self, *, go: bool) -> None:
        """Show the results in the checkout; `dist/`, which holds what may be published, only after GO.

        Raises:
            NotWritable: They can't be written.
        """
        shown = [
            name for name in RESULTS if (self.folder / name).exists() and (go or name != "dist")
        ]
        with _writing(self.root):
            for name in shown:
                _copy(self.folder / name, self.folder / "shown" / name)
            for name in shown:
                self._discard(name)
                (self.root / name).parent.mkdir(exist_ok=True)
                (self.folder / "shown" / name).rename(self.root / name)

    def hashes(self) -> list[dict[str, str]]:
        """Return name and SHA-256 of every file in the folder of reports."""
        reports = self.folder / "reports"
        return [
            {"file": path.relative_to(reports).as_posix(), "sha256": sha256(path)}
            for path in sorted(reports.rglob("*"))
            if path.is_file()
        ]

    def _discard(self, name: str) -> None:
        """Remove a result of an earlier rehearsal: at once for a reader, however long it takes."""
        old = self.folder / "old"
        with contextlib.suppress(FileNotFoundError):
            (self.root / name).rename(old)
        if old.is_dir():
            shutil.rmtree(old)
        old.unlink(missing_ok=True)


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Say what is in the way where a file or folder can't be written or removed: this one, if the system names none."""
    try:
        yield
    except OSError as error:
        raise NotWritable(
            f"{error.filename or path} can't be written: {error.strerror or error}. A rehearsal writes into .arcrun/, dist/, evidence/ and "
            "reports/ of its checkout: remove what is in the way there, or let it write"
        ) from error


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, copy_function=_link)
    else:
        _link(source, target)


def _link(source: StrPath, target: StrPath) -> None:
    """Make a second name for a file, as reports are large; where the file system can't, copy it."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


@contextlib.contextmanager
def only_one(root: Path, run: str) -> Iterator[None]:
    """Hold the lock of a checkout. The system releases it with the process, so none is ever stale.

    Raises:
        AlreadyRunning: Another process holds it.
        NotWritable: It can't be written.
    """
    path = root / ".arcrun" / "release" / "lock"
    with contextlib.ExitStack() as stack:
        with _writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            file = stack.enter_context(path.open("a+", encoding="utf-8"))
        if not _locked(file):
            raise AlreadyRunning(_holder(path))
        began = dt.datetime.now(dt.timezone.utc).isoformat(timespec="seconds")
        with _writing(path):
            file.truncate(0)
            file.write(json.dumps({"pid": os.getpid(), "since": began, "run": run}))
            file.flush()
        yield


def _holder(path: Path) -> str:
    try:
        held = json.loads(path.read_text("utf-8"))
        who = in_a_line(f"process {held['pid']}, since {held['since']}, run {held['run']}")
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        who = "it has just begun"
    return f"another rehearsal runs in this checkout ({who}): wait for its end, or stop it"


def _locked(file: IO[str]) -> bool:
    """Lock an open file, without waiting; return whether it is locked now."""
    try:
        if sys.platform == "win32":
            import msvcrt  # noqa: PLC0415

            # Behind the text, so that others can read it.
            file.seek(1024)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl  # noqa: PLC0415

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
