"""Hold what the steps of a publication share: the files, where they go, and by whose credentials."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from scripts.release.publish.http import NotAsked
from scripts.release.publish.state import Record
from scripts.release.versions import NPM_NAME

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from scripts.release.artifacts import Artifact


class NotDone(Exception):
    """A step could not be done, and can be repeated; the message says why, and what to do."""


class Impossible(Exception):
    """A step can't be done any more for this version; the message says why."""


class Waiting(Exception):
    """A person is needed; the message says for what."""


class StageLost(Exception):
    """npm no longer has the stage; the message says so."""


# What the step found is passing, such as a registry that does not answer.
PASSING = (NotDone, NotAsked)


class Outcome(NamedTuple):
    """How a step ended: with which event, what is to be told, and what the record gets."""

    told: str
    event: str = "done"
    npm_stage: str | None = None


@dataclass(frozen=True)
class Registries:
    """Where a publication goes to.

    Attributes:
        name: `public` or `local`.
        pypi: The address of PyPI.
        pypi_upload: The address to which it takes uploads.
        npm: The address of the npm registry.
        github: The address of the repository in GitHub's API; None where it is not known.
    """

    name: str
    pypi: str
    pypi_upload: str
    npm: str
    github: str | None


@dataclass(frozen=True)
class Credentials:
    """Tokens, from the environment only. They are never shown.

    Attributes:
        pypi: A token for the index on loopback; PyPI trusts `oidc` only.
        npm: A token for npm.
        github: A token for GitHub's API.
        oidc: The variables by which GitHub's runner gives out identity tokens.
    """

    pypi: str | None = field(default=None, repr=False)
    npm: str | None = field(default=None, repr=False)
    github: str | None = field(default=None, repr=False)
    oidc: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def for_npm(self) -> dict[str, str]:
        """Return the header by which npm knows who asks."""
        return {"Authorization": f"Bearer {self.npm}"} if self.npm else {}


@dataclass(frozen=True)
class Publication:
    """What is published.

    Attributes:
        root: The checkout.
        artifacts: The files, as the evidence has them.
        evidence: The evidence, parsed.
        evidence_file: Its file.
        live_report: The report of the suite on these packages with the hosted engine.
        work: A temporary folder.
        log: Receives what programs print.
        registries: Where it goes to.
        credentials: By whose credentials.
        network: The variables of the caller that say how other machines are reached.
        attest: Writes an attestation beside each of these files, and returns what it wrote.
        check_attestation: Checks what the index gives out as the provenance of a file.
        prove: Installs the packages from a folder and runs the gate's scenarios once more.
    """

    root: Path
    artifacts: Sequence[Artifact]
    evidence: Mapping[str, Any]
    evidence_file: Path
    live_report: Path
    work: Path
    log: Path
    registries: Registries
    credentials: Credentials
    network: Mapping[str, str]
    attest: Callable[[Publication, Sequence[Path]], list[Path]]
    check_attestation: Callable[[Publication, Artifact, Mapping[str, Any]], None]
    prove: Callable[[Publication, Path], str]

    @property
    def version(self) -> str:
        """Return the version that is published."""
        return str(self.evidence["version"])

    @property
    def python(self) -> list[Artifact]:
        """Return the files for PyPI."""
        return [each for each in self.artifacts if each.package != NPM_NAME]

    @property
    def tarball(self) -> Artifact:
        """Return the file for npm."""
        (found,) = (each for each in self.artifacts if each.package == NPM_NAME)
        return found

    @property
    def files(self) -> dict[str, str]:
        """Return the SHA-256 of each file, by name."""
        return {each.path.name: each.sha256 for each in self.artifacts}

    @property
    def may_send(self) -> bool:
        """Tell whether this process may send packages: elsewhere than on loopback only the workflow may."""
        return self.registries.name == "local" or bool(self.credentials.oidc)

    def begin(self) -> Record:
        """Return the record of a publication that has not begun."""
        commit = str(self.evidence["git"]["commit"])
        return Record(self.version, commit, self.registries.name, self.files)


def integrity(content: bytes) -> str:
    """Return the SHA-512 of a content, as npm writes it.

    Example:
        >>> integrity(b"")[:18]
        'sha512-z4PhNX7vuL3'
    """
    return f"sha512-{base64.b64encode(hashlib.sha512(content).digest()).decode()}"
