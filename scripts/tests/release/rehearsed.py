"""A whole rehearsal of tiny packages, whose parts tests change."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from scripts.release import verdict
from scripts.release.artifacts import Artifact, sha256
from scripts.release.publish import tiny, tiny_evidence
from scripts.release.verify import read_evidence
from scripts.release.versions import NPM_NAME, PACKAGES

# The parts that suites and fuzzer write.
SUITE, ENGINE, FUZZ = (
    "conformance/conformance.json",
    "engine-suite/conformance.json",
    "fuzz/fuzz.json",
)


class Rehearsed(NamedTuple):
    """A whole rehearsal of tiny packages, and what it left."""

    folder: Path
    evidence: Path
    artifacts: list[Artifact]

    def change(self, file: str, change: Callable[[Any], Any], *, hide: bool) -> None:
        """Change one of the results; with `hide` the evidence gets its new hash."""
        path = self.evidence.parent / file
        document = json.loads(path.read_text("utf-8"))
        change(document)
        path.write_text(json.dumps(document), "utf-8")
        if hide:
            self.edit(lambda evidence: entry(evidence, file).update(sha256=sha256(path)))

    def edit(self, change: Callable[[Any], Any]) -> None:
        """Edit the evidence itself."""
        document = json.loads(self.evidence.read_text("utf-8"))
        change(document)
        self.evidence.write_text(json.dumps(document), "utf-8")

    def reasons(self) -> list[str]:
        """Return why the evidence is NO-GO."""
        document = read_evidence(self.evidence)
        return verdict.recompute(document, self.evidence.parent, self.folder).reasons


def entry(evidence: Any, file: str) -> Any:
    (found,) = (each for each in evidence["results"] if each["file"] == file)
    return found


def step(evidence: Any, name: str) -> Any:
    (found,) = (each for each in evidence["steps"] if each["name"] == name)
    return found


def rehearse(folder: Path) -> Rehearsed:
    """Make tiny packages and the evidence of their rehearsal in a folder."""
    dist = folder / "dist"
    dist.mkdir()
    made = [(each, write(dist, each)) for each in PACKAGES for write in (tiny.wheel, tiny.sdist)]
    made.append((NPM_NAME, tiny.npm_tarball(dist)))
    artifacts = [Artifact(package, path, sha256(path)) for package, path in made]
    evidence = tiny_evidence.write(folder, artifacts, tiny.VERSION, "0" * 40)
    return Rehearsed(folder, evidence, artifacts)
