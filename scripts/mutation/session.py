"""A session: choose mutants, check that everything passes without one, judge them side by side."""

from __future__ import annotations

import queue
import tempfile
import threading
import time
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.mutation.commands import Commands, Stopped
from scripts.mutation.generate import Mutant, changed_lines, mutated, places
from scripts.mutation.judge import Judge, Verdict
from scripts.mutation.sample import sample
from scripts.mutation.tree import Tree, copied

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scripts.mutation.areas import Area


@dataclass(frozen=True)
class Settings:
    """What a session does.

    Attributes:
        root: The repository, which stays as it is.
        python: The interpreter with its packages.
        logs: The folder for what programs print.
        areas: What is mutated.
        count: How many mutants are judged.
        seed: Repeats a sample.
        jobs: How many are judged side by side.
        deadline: When no further one is begun, as `time.monotonic()` says it.
        quick: Run only the most related tests and scenarios.
        fast: Run only the tests that execute the line, and of the suite one run, to its first failure.
        by: What judges: `tests`, `suite` or `both`; the areas have nothing else.
    """

    root: Path
    python: Path
    logs: Path
    areas: Sequence[Area]
    count: int
    seed: int
    jobs: int
    deadline: float
    quick: bool = False
    fast: bool = False
    by: str = "both"


@dataclass
class Session:
    """Judges the mutants of Python modules.

    Attributes:
        settings: What it does.
        verdicts: What was found out so far.
    """

    settings: Settings
    commands: Commands = field(default_factory=Commands)
    verdicts: list[Verdict] = field(default_factory=list)
    failures: list[BaseException] = field(default_factory=list)

    def run(
        self, mutants: Sequence[Mutant], say: Callable[[str], None], on: Callable[[Verdict], None]
    ) -> None:
        """Judge the mutants in this order, until the time is over.

        Args:
            mutants: As `chosen` returns them.
            say: Called with what is being done.
            on: Called with each verdict.

        Raises:
            BaselineFailed: Something fails without a mutant.
        """
        settings = self.settings
        areas = [a for a in settings.areas if any(m.area == a.name for m in mutants)]
        waiting: queue.SimpleQueue[Mutant] = queue.SimpleQueue()
        for mutant in mutants:
            waiting.put(mutant)
        settings.logs.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(
            prefix="generated-mutants-", ignore_cleanup_errors=True
        ) as folder:
            trees = [
                copied(settings.root, Path(folder).resolve() / f"tree{number}")
                for number in range(settings.jobs)
            ]
            say(f"without a mutant: {', '.join(area.name for area in areas)}")
            judge = self._prepared(areas, mutants, trees)
            say(f"judging {len(mutants)} mutants")
            threads = [
                threading.Thread(target=self._work, args=(tree, number, judge, waiting, on))
                for number, tree in enumerate(trees)
            ]
            try:
                for thread in threads:
                    thread.start()
                while any(thread.is_alive() for thread in threads):
                    time.sleep(0.2)
            finally:
                self.commands.stop()
                for thread in threads:
                    thread.join()
        if self.failures:
            raise self.failures[0]

    def _prepared(
        self, areas: Sequence[Area], mutants: Sequence[Mutant], trees: Sequence[Tree]
    ) -> Judge:
        """Return a judge for whom everything passes without a mutant."""
        settings, log = self.settings, self.settings.logs / "baseline.log"
        limits: dict[str, float] = {}
        judge = Judge(self.commands, settings.python, limits, quick=settings.quick)
        if settings.fast:
            traced = [area for area in areas if area.own_tests]
            covering = judge.traced(trees, traced, settings.logs / "traces", log)
            judge = Judge(
                self.commands, settings.python, limits, quick=settings.quick, covering=covering
            )
            if not settings.quick:
                judge.suites_pass(trees[0], areas, log)
        else:
            judge.baseline(trees[0], areas, {mutant.path for mutant in mutants}, log)
        return judge

    def _work(
        self,
        tree: Tree,
        number: int,
        judge: Judge,
        waiting: queue.SimpleQueue[Mutant],
        on: Callable[[Verdict], None],
    ) -> None:
        areas = {area.name: area for area in self.settings.areas}
        log = self.settings.logs / f"mutants{number}.log"
        try:
            while time.monotonic() < self.settings.deadline and not self.commands.stopped:
                mutant = waiting.get_nowait()
                source = (tree.root / mutant.path).read_text("utf-8")
                text = mutated(mutant, source)
                if text is None:
                    continue
                with log.open("a", encoding="utf-8") as output:
                    output.write(f"# {mutant}  - {mutant.old} / + {mutant.new}\n")
                with tree.changed(mutant.path, text):
                    verdict = judge.judge(tree, areas[mutant.area], mutant, log)
                self.verdicts.append(verdict)
                on(verdict)
        except (queue.Empty, Stopped):
            pass
        except BaseException as error:  # noqa: BLE001 -- raised by `run`, in the main thread
            self.failures.append(error)
            self.commands.stop()


def every(root: Path, areas: Sequence[Area], only: str | None = None) -> list[Mutant]:
    """Return all mutants of the areas, or of one module, without the text that they make."""
    return [
        mutant
        for area in areas
        for path in area.modules(root)
        if only in {None, path}
        for mutant in places(area.name, path, (root / path).read_text("utf-8"))
    ]


def chosen(root: Path, mutants: Sequence[Mutant], count: int, seed: int) -> list[Mutant]:
    """Return a sample of the mutants with the lines that they change; without those that change none."""
    found: list[Mutant] = []
    for mutant in sample(mutants, len(mutants), seed, lambda m: m.path):
        if len(found) == count:
            break
        source = (root / mutant.path).read_text("utf-8")
        text = mutated(mutant, source)
        if text is not None:
            old, new = changed_lines(source, text)
            found.append(replace(mutant, old=old, new=new))
    return found


def chosen_of_each(
    root: Path, areas: Sequence[Area], mutants: Sequence[Mutant], count: int, seed: int
) -> list[Mutant]:
    """Return a sample of so many mutants of each area, in turns: if the time is over, no area is left out."""
    of_each = (
        chosen(root, [mutant for mutant in mutants if mutant.area == area.name], count, seed)
        for area in areas
    )
    return [mutant for turn in zip_longest(*of_each) for mutant in turn if mutant is not None]
