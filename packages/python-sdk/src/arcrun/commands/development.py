"""`acr dev`: what is saved in a project is checked, pushed, tested and run, on an engine of its own."""

from __future__ import annotations

import time
from collections.abc import Generator
from pathlib import Path

from arcrun import Arcrun

from .answers import CommandClient
from .engines import Engine
from .errors import CommandError, Next
from .project_files import REPLIES, Changes, ProjectFiles
from .project_steps import Event, ProjectSteps, error_event
from .sentences import sentence

_INTERVAL = 0.25  # seconds between two looks at the folder


def develop(
    folder: str = ".", *, run: bool = True, once: bool = False, verbose: bool = False
) -> Generator[Event, None, None]:
    """Watch a folder that `acr init` made: at each save, check, push, test and run what changed, until Ctrl-C.

    The engine runs on this machine, keeps its data in .arcrun/dev, and replies from replies.yaml in place of a
    language model. Workflows get inputs/NAME.json as input.

    Args:
        folder: by default this one
        run: run the workflows, which act on the world
        once: do it once, and exit with 1 if there was an error
        verbose: show the engine's log on stderr; else it is in .arcrun/dev/engine.log
    """
    root = Path(folder)
    if not any((root / name).is_dir() for name in ("workflows", "recipes")):
        raise CommandError(
            "invalid_argument",
            sentence(
                "{folder} has neither a folder `workflows` nor one `recipes`", folder=repr(folder)
            ),
            next=[Next("make an example", "init", (folder,) if folder != "." else ())],
        )
    return _develop(Development(root, run=run, verbose=verbose), once=once)


def _develop(development: Development, *, once: bool) -> Generator[Event, None, None]:
    errors = 0
    try:
        while True:
            for event in development.step():
                errors += event["type"] == "error" or event.get("passed") is False
                yield event
            if once:
                break
            yield {"type": "watching"}
            development.wait()
    finally:
        development.close()
    if errors:
        one = sentence("1 step failed, see above")
        more = sentence("{errors} steps failed, see above", errors=errors)
        raise CommandError("failed", one if errors == 1 else more)


class Development:
    """An engine, and what is done on it when files change."""

    def __init__(self, root: Path, *, run: bool, verbose: bool) -> None:
        self.files = ProjectFiles(root)
        self._run = run
        self._data = root / ".arcrun" / "dev"
        self._log = None if verbose else self._data / "engine.log"
        self._engine: Engine | None = None
        self._client: Arcrun | None = None
        self._port = 0

    def step(self) -> Generator[Event, None, None]:
        """Do what the changes since the last step ask for, and yield what came of it."""
        changes = self.files.changes()
        roles = {self.files.role_of(path) for path in (*changes.saved, *changes.deleted)}
        if self._client is None or "replies" in roles:
            yield from self._restart()
            if self._client is None:
                return
            changes = Changes(self._all(), changes.deleted)
        steps = ProjectSteps(self.files, self._client, run=self._run)
        yield from steps.of(changes)
        if self._engine is not None and self._engine.has_ended():
            raise CommandError(
                "engine_failed", sentence("the engine has ended; its log is {log}", log=self._log)
            )

    def wait(self) -> None:
        """Return when a file has changed."""
        while not self.files.have_settled():
            time.sleep(_INTERVAL)
            if self._engine is not None and self._engine.has_ended():
                raise CommandError(
                    "engine_failed",
                    sentence("the engine has ended; its log is {log}", log=self._log),
                )

    def close(self) -> None:
        """End the engine."""
        if self._client is not None:
            self._client.close()
        if self._engine is not None:
            self._engine.stop()
        self._client = self._engine = None

    def _all(self) -> list[Path]:
        return [*self.files.of_role("recipe"), *self.files.of_role("workflow")]

    def _restart(self) -> Generator[Event, None, None]:
        """Start the engine, again at the same address if it has run before, with the replies as they are now."""
        self.close()
        replies = self.files.root / REPLIES
        variables = {"ARCRUN_SERVER_LLM": "scripted", "ARCRUN_SERVER_LLM_SCRIPT": ""}
        if replies.is_file():
            variables["ARCRUN_SERVER_LLM_SCRIPT"] = str(replies.resolve())
        try:
            self._data.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._engine = Engine(self._data, variables, self._log, self._port)
            ready = self._engine.start()
        except OSError as error:
            raise CommandError(
                "invalid_argument",
                sentence("{path} can't be made: {reason}", path=self._data, reason=error.strerror),
            ) from None
        except CommandError as error:
            if error.code == "not_installed" or REPLIES not in error.message:
                raise
            yield error_event(REPLIES, replies, error)
            return
        self._port = int(ready.url.rpartition(":")[2])
        self._client = CommandClient(ready.key, base_url=ready.url)
        yield {"type": "engine", "url": ready.url, "key": ready.key, "log": str(self._log or "")}
