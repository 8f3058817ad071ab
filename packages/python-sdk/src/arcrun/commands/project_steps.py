"""What `acr dev` does with the files of a project: recipes are pushed and tested, workflows pushed and run."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from arcrun import Arcrun
from arcrun._core.errors import ArcrunError, NotFoundError
from arcrun._core.events import ENDED

from .documents import Document, parse_document
from .errors import CommandError, command_error
from .places import located
from .project_files import Changes, ProjectFiles
from .reading import bytes_of
from .recipes import kind_of, push_recipe, render_recipe, run_recipe_tests
from .sentences import sentence
from .workflows import push_workflow

if TYPE_CHECKING:
    from arcrun._core.recipe_types import PushedRecipe

Event = dict[str, Any]

_INTERVAL = 0.1  # seconds between two looks at a run
_FAILED = frozenset({"failed", "partial", "cancelled"})


def error_event(file: str, path: Path, error: CommandError | ArcrunError) -> Event:
    """Return an error as an event.

    Args:
        file: the file that it is about, as it is shown.
        path: the file itself.
        error: the error.
    """
    failure = error if isinstance(error, CommandError) else command_error(error)
    return {
        "type": "error",
        "file": file,
        "path": str(path),
        "code": failure.code,
        "message": failure.message,
        "details": failure.details,
    }


class ProjectSteps:
    """The steps of one look at a project.

    Args:
        files: the project.
        client: a client of the engine of `acr dev`.
        run: whether workflows are run.
    """

    def __init__(self, files: ProjectFiles, client: Arcrun, *, run: bool) -> None:
        self._files = files
        self._client = client
        self._run = run

    def of(self, changes: Changes) -> Generator[Event, None, None]:
        """Do what changed files ask for, and yield what came of it."""
        for path in changes.deleted:
            yield {"type": "deleted", "file": self._files.shown(path)}
        names: set[str] = set()
        for path in changes.saved:
            if self._files.role_of(path) == "recipe":
                yield from self._caught(path, self._recipe(path, names))
        for path in self._workflows_of(changes, names):
            yield from self._caught(path, self._workflow(path))

    def _caught(
        self, path: Path, steps: Generator[Event, None, None]
    ) -> Generator[Event, None, None]:
        """Yield the events of steps, and as the last one the error that ended them."""
        try:
            yield from steps
        except (CommandError, ArcrunError) as error:
            yield error_event(self._files.shown(path), path, error)
        except OSError as error:
            message = sentence(
                "{path} can't be read: {reason}",
                path=self._files.shown(path),
                reason=error.strerror,
            )
            yield error_event(
                self._files.shown(path), path, CommandError("invalid_argument", message)
            )

    def _workflows_of(self, changes: Changes, recipes: Iterable[str]) -> list[Path]:
        """Return the workflows that were saved, whose input was, or that name a recipe that was."""
        inputs = {path.stem for path in changes.saved if self._files.role_of(path) == "input"}

        def names_one(path: Path) -> bool:
            try:
                text = path.read_text("utf-8", "replace")
            except OSError:
                return False
            return any(f"prompt_recipe:{name}" in text for name in recipes)

        return [
            path
            for path in self._files.of_role("workflow")
            if path in changes.saved or path.stem in inputs or names_one(path)
        ]

    def _recipe(self, path: Path, names: set[str]) -> Generator[Event, None, None]:
        file, text = self._files.shown(path), _text_of(path)
        document = parse_document(text, file)
        kind = kind_of(document)
        name = str(document.value.get("id") or document.value.get("name") or "").rpartition(":")[2]
        version = self._stored_version(name, text) if kind == "prompt_recipe" else None
        if version is None:
            pushed = cast("PushedRecipe", push_recipe(self._client, text))
            name, version = pushed["name"], pushed["version"]
            names.add(name)
        event: Event = {"type": "recipe", "file": file, "kind": kind, "name": name}
        event["version"] = version
        if kind == "prompt_recipe":
            tested = run_recipe_tests(self._client, name, version=version)
            event |= {"tests": tested["tests"], "passed": tested["passed"]}
        yield event
        tests = document.value.get("tests")
        if kind == "prompt_recipe" and isinstance(tests, list) and tests:
            yield self._prompt_of(file, name, version, tests[0])

    def _stored_version(self, name: str, text: str) -> int | None:
        """Return the newest version if it is this text: then there is nothing to push."""
        try:
            newest = self._client.recipes.versions(name)[0].get("version")
            stored = self._client.recipes.get(name, version=newest)
        except (NotFoundError, IndexError):
            return None
        return newest if stored.get("source") == text else None

    def _prompt_of(self, file: str, name: str, version: Any, test: dict[str, Any]) -> Event:
        """Return the prompt that a recipe makes of the values of a test."""
        rendered = render_recipe(
            self._client, name, test.get("inputs"), context=test.get("context"), version=version
        )
        return {
            "type": "prompt",
            "file": file,
            "name": name,
            "test": test.get("name"),
            "messages": [
                {"role": m["role"], "content": m["content"]} for m in rendered["messages"]
            ],
            "estimated_tokens": rendered.get("estimated_tokens"),
        }

    def _workflow(self, path: Path) -> Generator[Event, None, None]:
        file, text = self._files.shown(path), _text_of(path)
        document = parse_document(text, file)
        pushed = push_workflow(
            self._client, text, name=None if "name" in document.value else path.stem
        )
        name = str(pushed["name"])
        yield {"type": "workflow", "file": file, "name": name, "warnings": pushed["warnings"]}
        if not self._run:
            return
        given = self._files.input_of(path)
        body = (
            {} if given is None else parse_document(_text_of(given), self._files.shown(given)).value
        )
        run_id = str(self._client.workflows.run(name, body, run_async=True).get("run_id"))
        shown = None if given is None else self._files.shown(given)
        yield {"type": "run", "file": file, "workflow": name, "run_id": run_id, "input": shown}
        yield from self._followed(file, document, run_id)

    def _followed(self, file: str, document: Document, run_id: str) -> Generator[Event, None, None]:
        """Yield how a run ended or paused; a save ends it, as the run is of what was there before."""
        while True:
            run: dict[str, Any] = {**self._client.runs.get(run_id)}
            if run["status"] in ENDED or run["status"] == "paused":
                break
            if self._files.have_changed():
                self._client.runs.cancel(run_id)
                yield {"type": "superseded", "file": file, "run_id": run_id}
                return
            time.sleep(_INTERVAL)
        faults = _faults_of(run, document)
        for entry in run.get("trace", []):
            yield {"type": "node", "file": file, **_of_trace(entry)}
        ended: Event = {
            key: run[key] for key in ("status", "data", "task_id", "duration_ms") if key in run
        }
        ended["warnings"] = [_placeholder(each, document) for each in run.get("warnings", [])]
        yield {
            "type": "ended",
            "file": file,
            "path": str(self._files.root / file),
            "run_id": run_id,
            **ended,
        }
        if run["status"] in _FAILED:
            message = run.get("error") or sentence("the run was {status}", status=run["status"])
            failure = CommandError("run_failed", message, details=faults)
            yield error_event(file, self._files.root / file, failure)


def _of_trace(entry: dict[str, Any]) -> Event:
    shown: Event = {key: entry[key] for key in ("duration_ms", "status", "error") if key in entry}
    return {"node": entry.get("node", entry.get("nodeId")), "status": "ok", **shown}


def _faults_of(run: dict[str, Any], document: Document) -> list[dict[str, Any]]:
    """Return the nodes that failed, with their places in the document."""
    nodes = [*run.get("failed_nodes", []), *filter(None, [run.get("failed_node")])]
    errors = {
        entry.get("node", entry.get("nodeId")): entry["error"]
        for entry in run.get("trace", [])
        if entry.get("error")
    }
    reason = str(run.get("error") or "it failed")
    faults = [{"node": node, "message": errors.get(node, reason)} for node in dict.fromkeys(nodes)]
    return located(faults, document, ())


def _placeholder(warning: dict[str, Any], document: Document) -> dict[str, Any]:
    """Return what a run says of a placeholder without a value, with the place where it is written."""
    text = str(warning.get("placeholder", ""))
    (found,) = located(
        [{**warning, "message": f"{text} has no value, so it stays as written"}], document, ()
    )
    for number, line in enumerate(document.text.splitlines(), 1):
        if number >= found.get("line", 1) and text and text in line:
            return {**found, "line": number, "column": line.index(text) + 1}
    return found


def _text_of(path: Path) -> str:
    try:
        return bytes_of(path, str(path)).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CommandError(
            "invalid_argument",
            sentence(
                "{path} is not UTF-8 (byte {number}): save it as UTF-8",
                path=path,
                number=error.start,
            ),
        ) from None
