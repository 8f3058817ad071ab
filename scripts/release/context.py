"""What the steps of a rehearsal hand on to each other, and where they leave things."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from scripts.rehearsal import Rehearsal
    from scripts.release.npm.build import NpmPackage
    from scripts.release.npm.runtimes import Matrix
    from scripts.release.python.build import Artifact
    from scripts.release.python.install import CleanEnvironment


@dataclass
class ReleaseContext:
    """What the steps hand on to each other."""

    root: Path
    work: Path
    seed: int
    rehearsal: Rehearsal
    python_only: bool = False
    version: str | None = None
    artifacts: list[Artifact] = field(default_factory=list)
    environments: dict[str, CleanEnvironment] = field(default_factory=dict)
    versions: dict[str, dict[str, str]] = field(default_factory=dict)
    npm_package: NpmPackage | None = None
    matrix: Matrix | None = None

    @property
    def everything_built(self) -> list[Artifact]:
        """All that would be published."""
        return [*self.artifacts, *([self.npm_package.artifact] if self.npm_package else [])]

    @property
    def dist(self) -> Path:
        """Where the artifacts end up."""
        return self.root / "dist"

    @property
    def evidence(self) -> Path:
        """Where the evidence ends up."""
        return self.root / "evidence"

    @property
    def reports(self) -> Path:
        """Where the pages for people end up."""
        return self.root / "reports"

    @property
    def uploads(self) -> Path:
        """What the registry on loopback keeps."""
        return self.work / "registry"

    @property
    def verdaccio(self) -> Path:
        """Where the npm registry on loopback is installed."""
        return self.work / "verdaccio"

    @property
    def npm_uploads(self) -> Path:
        """What the npm registry on loopback keeps."""
        return self.work / "npm-registry"

    @property
    def conformance_reports(self) -> Path:
        """What the suite reports."""
        return self.evidence / "conformance"

    @property
    def runtimes(self) -> Path:
        """Where the JavaScript runtimes are, with the installed SDK."""
        return self.work / "javascript"

    def log(self, name: str) -> Path:
        """The log of one step."""
        path = self.evidence / "logs" / f"{name}.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        return path
