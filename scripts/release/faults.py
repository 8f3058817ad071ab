"""Rehearse releases that must fail: each has one fault, and the right step must say NO-GO.

`nox -s release_faults` clones the checked-out commit, adds one fault, and runs the real rehearsal
there. Some are interrupted halfway, and must leave nothing behind. The last one has no fault, but a
caller whose settings are for another server: it must end with GO.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import secrets
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from scripts import processes
from scripts.console import make_console
from scripts.release import hostile
from scripts.release.clones import REHEARSAL, clone, evidence_of
from scripts.release.environment import MARK
from scripts.release.python.contents import WHEEL_BUDGETS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

# The time that an interrupted rehearsal has to clean up: removing node_modules takes long on a slow disk.
END_SECONDS = 120.0

RESPOND_500_ONCE = """

class _RespondOnce:
    def __init__(self, app):
        self.app, self.requests_left = app, {after}

    async def __call__(self, scope, receive, send):
        counts = scope["type"] == "http" and {condition}
        self.requests_left -= counts
        if not counts or self.requests_left:
            return await self.app(scope, receive, send)
        headers = [(b"content-type", b"application/json"), (b"x-request-id", b"fault")]
        await send({{"type": "http.response.start", "status": 500, "headers": headers}})
        body = b'{{"error": "a fault, added on purpose", "code": "internal_error"}}'
        await send({{"type": "http.response.body", "body": body}})


_create_app_without_fault = create_app


def create_app(*arguments, **options):
    app = _create_app_without_fault(*arguments, **options)
    app.add_middleware(_RespondOnce)
    return app
"""

TIME_ZONE_HOOK = """
import os, pathlib
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

class Hook(BuildHookInterface):
    def initialize(self, version, build_data):
        pathlib.Path(self.root, "src/arcrun/_zone.py").write_text(repr(os.environ["TZ"]))
"""


@dataclass(frozen=True)
class Fault:
    """One fault of a checkout, and the step that must find it.

    Attributes:
        name: What is wrong.
        step: The step that must say NO-GO.
        add: Adds the fault to a checkout.
        with_npm: Whether the rehearsal includes the npm package; without it, it takes a third of the time.
        alone: Whether only this step runs, with those that it needs, since it is one of the last.
    """

    name: str
    step: str
    add: Callable[[Path], None]
    with_npm: bool = False
    alone: bool = False

    @property
    def options(self) -> list[str]:
        """Return the options of its rehearsal."""
        only = ["--only", self.step] if self.alone else []
        return [*([] if self.with_npm else ["--python-only"]), *only]


def _replace(file: str, old: str, new: str) -> Callable[[Path], None]:
    def add(root: Path) -> None:
        path = root / file
        text = path.read_text("utf-8")
        if old not in text:
            raise ValueError(f"{file} has no {old!r}: the fault can't be added")
        path.write_text(text.replace(old, new, 1), "utf-8")

    return add


def _write(file: str, text: str, mode: str = "w") -> Callable[[Path], None]:
    def add(root: Path) -> None:
        with (root / file).open(mode, encoding="utf-8") as stream:
            stream.write(text)

    return add


def _without_dated_entries(root: Path) -> None:
    """Take the date out of every entry of the changelog."""
    path = root / "CHANGELOG.md"
    path.write_text(
        re.sub(r"^(## \[.+\]) - \S+$", r"\1", path.read_text("utf-8"), flags=re.MULTILINE), "utf-8"
    )


def _build_by_the_clock(root: Path) -> None:
    """Make the SDK's build write the time zone, which differs between the two builds, into a file."""
    folder = root / "packages/python-sdk"
    (folder / "hatch_build.py").write_text(TIME_ZONE_HOOK, "utf-8")
    with (folder / "pyproject.toml").open("a", encoding="utf-8") as stream:
        stream.write("\n[tool.hatch.build.hooks.custom]\n")


def _stray_file_in_the_npm_package(root: Path) -> None:
    """Make package.json include a file that does not belong in the package."""
    _write("packages/js-sdk/notes.md", "筆記\n")(root)
    _replace("packages/js-sdk/package.json", '"files": [', '"files": ["notes.md", ')(root)


def _respond_500_once(after: int, condition: str) -> Callable[[Path], None]:
    text = RESPOND_500_ONCE.format(after=after, condition=condition)
    return _write("packages/server/src/arcrun_server/app.py", text, mode="a")


FROM_THE_SDK = '(b"user-agent", b"arcrun-python") in [(k, v[:13]) for k, v in scope["headers"]]'

FAULTS = (
    Fault(
        "a version that differs",
        "versions",
        _write("conformance/src/arcrun_conformance/_version.py", '__version__ = "9.9.9"\n'),
    ),
    Fault(
        "a missing changelog entry",
        "versions",
        _without_dated_entries,
    ),
    Fault(
        "a stray file in the wheel",
        "check",
        _write("packages/python-sdk/src/arcrun/notes.txt", "筆記\n"),
    ),
    Fault(
        "a wheel over its budget",
        "check",
        _replace(
            "scripts/release/python/contents.py",
            f'"arcrun": {WHEEL_BUDGETS["arcrun"]}',
            '"arcrun": 8',
        ),
    ),
    Fault(
        "a build that is not reproducible",
        "build",
        _build_by_the_clock,
    ),
    Fault(
        "a version of the npm package that differs",
        "versions",
        _replace("packages/js-sdk/package.json", '"version": "', '"version": "9.'),
    ),
    Fault(
        "a stray file in the npm package",
        "npm_check",
        _stray_file_in_the_npm_package,
        with_npm=True,
    ),
    Fault(
        "an npm package with an install script",
        "npm_check",
        _replace("packages/js-sdk/package.json", '"scripts": {', '"scripts": {"postinstall": "", '),
        with_npm=True,
    ),
    Fault(
        "an npm build that is not reproducible",
        "npm_build",
        _replace(
            "packages/js-sdk/tsup.config.ts",
            "defineConfig({",
            "defineConfig({ banner: { js: `// ${process.env.TZ}` },",
        ),
        with_npm=True,
    ),
    Fault(
        "an engine that returns 500 once",
        "fuzz",
        _respond_500_once(100, "True"),
    ),
    Fault(
        "an engine that returns 500 once, to an SDK that retries",
        "conformance",
        _respond_500_once(3, FROM_THE_SDK),
    ),
    Fault(
        "an engine that forgets idempotency keys after minutes",
        "engine_suite",
        _replace(
            "packages/server/src/arcrun_server/store/idempotency.py",
            "KEPT_SECONDS = 24 * 60 * 60",
            "KEPT_SECONDS = 24 * 60",
        ),
    ),
    Fault(
        "a scenario that fails",
        "conformance",
        _replace("conformance/scenarios/sdk/health.yaml", "{ok: true", "{ok: false"),
    ),
    Fault(
        "a scenario of the gate that is skipped",
        "conformance",
        _replace(
            "conformance/scenarios/sdk/health.yaml", "\nspec:", "\nneeds: [time_travel]\nspec:"
        ),
    ),
    Fault(
        "a scenario renamed away from the gate",
        "conformance",
        _replace("conformance/scenarios/sdk/health.yaml", "id: health\n", "id: wellness\n"),
    ),
    Fault(
        "a generated file that is out of date",
        "tests",
        _write("packages/python-sdk/src/arcrun/_sync/client.py", "\n", mode="a"),
        alone=True,
    ),
    Fault(
        "an engine that takes revoked keys, which only its own tests notice",
        "tests",
        _replace(
            "packages/server/src/arcrun_server/store/accounts.py",
            ", api_keys.c.revoked_at.is_(None)\n",
            "\n",
        ),
        alone=True,
    ),
    Fault(
        "an SDK that suggests wrong names, which only its own tests notice",
        "npm_tests",
        _replace("packages/js-sdk/src/core/nearest.ts", "did you mean", "or do you mean"),
        with_npm=True,
        alone=True,
    ),
)

# The steps at which a rehearsal is interrupted, its options, and the signal.
INTERRUPTED = (
    ("npm_build", ("--only", "npm_build"), "SIGINT"),
    ("npm_upload", ("--only", "npm_upload"), "SIGTERM"),
    ("fuzz", ("--python-only",), "SIGINT"),
    ("conformance", ("--python-only", "--only", "conformance"), "SIGHUP"),
)
SURROUNDINGS = "a caller whose settings are for another server"


@dataclass(frozen=True)
class Outcome:
    """How a rehearsal ended."""

    code: int
    decision: str
    failed_step: str | None


def rehearse(root: Path, options: list[str]) -> Outcome:
    """Run the real rehearsal in a checkout, to its end."""
    ran = subprocess.run([*REHEARSAL, *options], cwd=root, check=False, capture_output=True)
    document = evidence_of(root)
    failed = [step["name"] for step in document["steps"] if step["status"] != "passed"]
    return Outcome(ran.returncode, document["decision"], failed[0] if failed else None)


def interrupted(root: Path, step: str, options: Sequence[str], by: str) -> list[str]:
    """Interrupt a rehearsal at a step by a signal; return the processes and files that it left."""
    mark, scratch = secrets.token_hex(16), root.with_name(f"{root.name}-scratch")
    scratch.mkdir()
    with subprocess.Popen(
        [*REHEARSAL, *options],
        cwd=root,
        env={**os.environ, MARK: mark, "TMPDIR": str(scratch)},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            for line in process.stdout or ():
                if f"… {step}" in line:
                    break
            process.send_signal(signal.Signals[by])
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.communicate(timeout=END_SECONDS)
            left = [f"process {number}" for number in marked(mark)]
            return [*left, *(path.name for path in scratch.glob("arcrun-release-*"))]
        finally:
            processes.stop(process)


def marked(mark: str) -> list[int]:
    """Return the ids of the running processes whose environment has the mark (from /proc)."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (folder / "environ").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue  # it has just ended, or belongs to another user
    return found


def main(arguments: list[str] | None = None) -> int:
    """Rehearse every fault; return 0 if the right step found each of them."""
    parser = argparse.ArgumentParser(prog="nox -s release_faults --", description=__doc__)
    parser.add_argument("--only", default="", help="only what has this text in its name")
    only = parser.parse_args(arguments).only
    processes.interrupt_on_signals()
    console, missed = make_console(), 0
    with tempfile.TemporaryDirectory(prefix="arcrun-faults-") as work:
        for name, wrong, seconds in _rehearsals(Path(work), only):
            missed += bool(wrong)
            console.print(f"{'✗' if wrong else '✓'} {name}, {seconds:.0f} s", markup=False)
            for each in wrong:
                console.print(f"    {each}", markup=False)
    console.print(f"{missed} missed")
    return 1 if missed else 0


def _rehearsals(work: Path, only: str) -> Iterator[tuple[str, list[str], float]]:
    """Rehearse each fault, interruption and caller; yield its name, what is wrong, and the time."""
    checks: dict[str, Callable[[Path], list[str]]] = {
        f"{each.name}: {each.step}": partial(_missed, each) for each in FAULTS
    }
    for step, options, by in INTERRUPTED:
        checks[f"interrupted at {step} by {by}"] = partial(_left, step, options, by)
    checks[SURROUNDINGS] = hostile.check
    for number, (name, check) in enumerate(checks.items()):
        if only in name:
            folder, begun = work / str(number), time.monotonic()
            folder.mkdir()
            yield name, check(folder), time.monotonic() - begun


def _missed(fault: Fault, work: Path) -> list[str]:
    root = clone(work / "checkout")
    fault.add(root)
    outcome = rehearse(root, fault.options)
    found = (outcome.code, outcome.decision, outcome.failed_step)
    return [] if found == (1, "NO-GO", fault.step) else [f"it ended with {outcome}"]


def _left(step: str, options: Sequence[str], by: str, work: Path) -> list[str]:
    return [f"left: {each}" for each in interrupted(clone(work / "checkout"), step, options, by)]


if __name__ == "__main__":
    raise SystemExit(main())
