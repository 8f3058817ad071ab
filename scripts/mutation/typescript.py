"""The mutants of the JavaScript SDK, by Stryker: all tests judge them in Stryker, the suite judges the built package."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from scripts.mutation.areas import Area, SuiteRun
from scripts.mutation.commands import Stopped
from scripts.mutation.generate import Mutant, changed_lines
from scripts.mutation.judge import (
    KILLED,
    NOT_JUDGED,
    SURVIVED,
    TIMED_OUT,
    BaselineFailed,
    Judge,
    Verdict,
)
from scripts.mutation.sample import sample
from scripts.mutation.tree import Tree, copied

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scripts.mutation.session import Session

SDK, TOOLS = "packages/js-sdk", "scripts/mutation/typescript"
AREA = Area(
    "js-sdk",
    (
        f"{SDK}/src/core/origins.ts",
        f"{SDK}/src/core/proxies.ts",
        f"{SDK}/src/core/sealing.ts",
        f"{SDK}/src/http/retry.ts",
        f"{SDK}/src/http/trust.ts",
        f"{SDK}/src/recipes/*.ts",
        f"{SDK}/src/auth/*.ts",
    ),
    (f"{SDK}/tests",),
    (SuiteRun("sdk", ("node24-esm",)),),
)
STATUSES = {
    "Survived": SURVIVED,
    "NoCoverage": SURVIVED,
    "Timeout": TIMED_OUT,
    "Ignored": NOT_JUDGED,
}
# Tests of the package and of the documents: they read `dist`, or compile against the sources.
OTHER_TESTS = ("examples", "readme", "package")
# Of a machine that is busy they say nothing.
NOT_TIMED = "/^(?!.* takes time that grows )/"
STRYKER_SECONDS = 1500.0
# How much of the time the tests and the suite may take before those of Python modules begin.
SHARE = 0.35


class Place(NamedTuple):
    """A mutant of Stryker: what is replaced, with lines and columns that start at 0."""

    file: str
    start: tuple[int, int]
    end: tuple[int, int]
    operator: str
    replacement: str

    def applied(self, source: str) -> str:
        """Return the module with the defect."""
        first, last = self._offsets(source)
        return source[:first] + self.replacement + source[last:]

    def replaced(self, source: str) -> str:
        """Return what is replaced."""
        first, last = self._offsets(source)
        return source[first:last]

    def _offsets(self, source: str) -> tuple[int, int]:
        lines = source.splitlines(keepends=True)
        first, last = (
            sum(len(line) for line in lines[: place[0]]) + place[1]
            for place in (self.start, self.end)
        )
        return first, last

    def is_wording(self, source: str) -> bool:
        """Tell whether a text for people is replaced, as no mutant of Python modules does either: several words, or a method."""
        text = self.replaced(source)
        return self.operator == "StringLiteral" and (text.count(" ") > 2 or text[1:8] == "client.")

    @property
    def range(self) -> str:
        """Return it as Stryker's option `mutate` names a part of a file."""
        (line, column), (last, end) = self.start, self.end
        return f"{self.file}:{line + 1}:{column}-{last + 1}:{end}"


def modules(root: Path) -> list[str]:
    """Return the files that are mutated, without the recipes that are data."""
    return [path for path in AREA.modules(root) if not path.endswith("knownRecipes.ts")]


def run(
    session: Session,
    paths: Sequence[str],
    count: int,
    say: Callable[[str], None],
    on: Callable[[Verdict], None],
) -> list[Verdict]:
    """Judge a sample of the mutants of these files.

    Raises:
        BaselineFailed: Something fails without a mutant, or Node.js and Stryker are not installed.
    """
    settings = session.settings
    if not shutil.which("node") or not (settings.root / TOOLS / "node_modules").is_dir():
        raise BaselineFailed(f"Stryker is not installed: `npm ci` in {TOOLS}, with Node.js 24")
    settings.logs.mkdir(parents=True, exist_ok=True)
    now = time.monotonic()
    alone = not settings.areas
    deadline = settings.deadline if alone else now + SHARE * (settings.deadline - now)
    with tempfile.TemporaryDirectory(
        prefix="generated-mutants-", ignore_cleanup_errors=True
    ) as folder:
        trial = _Trial(session, copied(settings.root, Path(folder).resolve() / "tree"))
        trial.prepare()
        files = [path.removeprefix(f"{SDK}/") for path in paths]
        places = trial.places(files)
        picked = sample(places, count, settings.seed, lambda place: place.file)
        say(f"judging {len(picked)} of {len(places)} mutants of {AREA.name}")
        by_tests = {} if settings.by == "suite" else trial.by_tests(picked)
        if settings.by != "tests":
            say(f"without a mutant: {AREA.name}, by the suite")
            trial.suite_passes()
        found = []
        try:
            if settings.fast:
                judged = [place for place in picked if by_tests.get(place) != NOT_JUDGED]
                say(f"{len(picked) - len(judged)} that are executed at import are left out")
                picked = judged
            for place in picked:
                in_time = time.monotonic() <= deadline
                if settings.by == "suite" and not in_time:
                    break  # nothing else judges the others
                verdict = trial.verdict(
                    place, by_tests, with_suite=settings.by != "tests" and in_time
                )
                found.append(verdict)
                on(verdict)
        except Stopped:
            pass
        return found


class _Trial:
    """The JavaScript SDK in a copy of the repository, with what builds, tests and mutates it."""

    def __init__(self, session: Session, tree: Tree) -> None:
        self._commands, self._settings = session.commands, session.settings
        self._tree, self._sdk = tree, tree.root / SDK
        self._tools = session.settings.root / TOOLS / "node_modules"
        self._log = session.settings.logs / "typescript.log"
        self._judge = Judge(
            session.commands,
            session.settings.python,
            {},
            quick=session.settings.quick,
            # Which tests execute a line, Stryker finds out by itself.
            covering={} if session.settings.fast else None,
        )

    def prepare(self) -> None:
        """Install what is needed, where the adapters and the SDK's own programs look for it."""
        (self._sdk / "node_modules").symlink_to(self._tools)
        names = ", ".join(f'"tests/{name}.test.ts"' for name in OTHER_TESTS)
        (self._sdk / "vitest.mutants.config.ts").write_text(
            'import { mergeConfig } from "vitest/config";\n'
            'import own from "./vitest.config.js";\n'
            f"const test = {{ exclude: [{names}], testNamePattern: {NOT_TIMED} }};\n"
            "export default mergeConfig(own, { test });\n"
        )
        runtimes = self._tree.root / ".arcrun/javascript"
        (runtimes / "node_modules/@arcrun").mkdir(parents=True)
        (runtimes / "node_modules/@arcrun/sdk").symlink_to(self._sdk)
        (runtimes / "node24").mkdir()
        (runtimes / "node24/node").symlink_to(shutil.which("node") or "node")
        (runtimes / "sdk.mjs").write_text('export * from "@arcrun/sdk";\n')
        if not self._built():  # some tests start programs that import the package
            raise BaselineFailed(f"{AREA.name} is not built; see {self._log}")

    def places(self, files: Sequence[str]) -> list[Place]:
        """Return the mutants that Stryker makes of the files, without those of texts for people."""
        # From the folder with the packages: the copy of the script would not find them.
        command = ["node", str(self._tools.parent / "list.mjs"), *files]
        listed = subprocess.run(command, cwd=self._sdk, check=True, capture_output=True)
        found = [_place(mutant) for mutant in json.loads(listed.stdout)]
        sources = {file: (self._sdk / file).read_text("utf-8") for file in files}
        return [place for place in found if not place.is_wording(sources[place.file])]

    def by_tests(self, places: Sequence[Place]) -> dict[Place, str]:
        """Return what the SDK's tests say to each mutant."""
        plugin = self._tools / "@stryker-mutator/vitest-runner/dist/src/index.js"
        config = {
            "packageManager": "npm",
            "testRunner": "vitest",
            "vitest": {"configFile": "vitest.mutants.config.ts", "related": False},
            "plugins": [str(plugin)],
            "reporters": ["json"],
            "jsonReporter": {"fileName": "stryker.json"},
            "mutate": sorted({place.range for place in places}),
            "coverageAnalysis": "perTest",
            # What is executed at import has to be judged by all tests.
            "ignoreStatic": self._settings.fast,
            "concurrency": self._settings.jobs,
            "inPlace": True,  # it is a copy already
        }
        (self._sdk / "stryker.config.json").write_text(json.dumps(config))
        program = self._tools / "@stryker-mutator/core/bin/stryker.js"
        command = ["node", str(program), "run", "stryker.config.json"]
        if self._run(command, STRYKER_SECONDS) != 0:
            raise BaselineFailed(f"the tests of {AREA.name} fail without a mutant; see {self._log}")
        report = json.loads((self._sdk / "stryker.json").read_text("utf-8"))
        return read_report(report, with_static=not self._settings.fast)

    def suite_passes(self) -> None:
        """Check that the suite passes without a mutant."""
        outcome = NOT_JUDGED
        if self._built():
            outcome, _ = self._judge.by_suite(
                self._tree, AREA, f"{SDK}/src/core/origins.ts", self._log
            )
        if outcome != SURVIVED:
            raise BaselineFailed(f"{AREA.name}: the suite fails without a mutant; see {self._log}")

    def verdict(self, place: Place, by_tests: dict[Place, str], *, with_suite: bool) -> Verdict:
        """Return what notices a mutant."""
        begun = time.monotonic()
        path = f"{SDK}/{place.file}"
        source = (self._tree.root / path).read_text("utf-8")
        text = place.applied(source)
        old, new = changed_lines(source, text)
        mutant = Mutant(AREA.name, path, place.start[0] + 1, place.operator, 0, old, new)
        suite = NOT_JUDGED
        if with_suite:
            with self._tree.changed(path, text):
                suite = KILLED
                if self._built():
                    suite, _ = self._judge.by_suite(self._tree, AREA, path, self._log)
        tests = by_tests.get(place, NOT_JUDGED)
        return Verdict(mutant, suite, tests, round(time.monotonic() - begun, 1))

    def _built(self) -> bool:
        command = ["node", str(self._tools / "tsup/dist/cli-default.js"), "--no-dts"]
        return self._run(command, 120) == 0

    def _run(self, command: list[str], timeout: float) -> int | None:
        return self._commands.run(
            command,
            tree=self._tree.root,
            cwd=self._sdk,
            log=self._log,
            timeout=timeout,
            env=self._tree.environment,
        ).exit_code


def read_report(report: dict[str, Any], *, with_static: bool = True) -> dict[Place, str]:
    """Return the outcome of each mutant in Stryker's report, whose lines and columns start at 1.

    Args:
        report: The report.
        with_static: Whether Stryker judged mutants of what is executed at import: otherwise it only says that they survive.
    """
    return {
        Place(
            file,
            (place["start"]["line"] - 1, place["start"]["column"] - 1),
            (place["end"]["line"] - 1, place["end"]["column"] - 1),
            mutant["mutatorName"],
            mutant["replacement"],
        ): _status(mutant, with_static=with_static)
        for file, found in report["files"].items()
        for mutant in found["mutants"]
        for place in (mutant["location"],)
    }


def _status(mutant: dict[str, Any], *, with_static: bool) -> str:
    status = STATUSES.get(mutant["status"], KILLED)
    if status == SURVIVED and mutant.get("static") and not with_static:
        return NOT_JUDGED
    return status


def _place(mutant: dict[str, Any]) -> Place:
    start, end = mutant["location"]["start"], mutant["location"]["end"]
    return Place(
        mutant["fileName"],
        (start["line"], start["column"]),
        (end["line"], end["column"]),
        mutant["mutatorName"],
        mutant["replacement"],
    )
