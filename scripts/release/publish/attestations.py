"""Attest the files for PyPI: by Sigstore, with the identity of the workflow; on loopback by a stand-in."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from scripts import processes
from scripts.rehearsal import describe
from scripts.release.artifacts import sha256
from scripts.release.environment import neutral
from scripts.release.publish.publication import Impossible, NotDone

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import Any

    from scripts.release.artifacts import Artifact
    from scripts.release.publish.publication import Publication

SUFFIX = ".publish.attestation"


def sign(publication: Publication, files: Sequence[Path]) -> list[Path]:
    """Sign each file with the identity that GitHub's runner gives out; return the attestations.

    Raises:
        processes.CommandFailed: There is no such identity, as on a person's machine.
    """
    home = publication.work / "home"
    home.mkdir(exist_ok=True)
    env = {**neutral(home), **publication.network, **publication.credentials.oidc}
    command = [sys.executable, "-m", "pypi_attestations", "sign", *map(str, files)]
    processes.run(command, log=publication.log, env=env, inherit=False)
    return [path.with_name(f"{path.name}{SUFFIX}") for path in files]


def check_signature(
    publication: Publication, artifact: Artifact, provenance: Mapping[str, Any]
) -> None:
    """Check that the signature that PyPI gives out for a file was made by a workflow of our repository.

    Raises:
        NotDone: It was not, or can't be checked.
    """
    del provenance  # the program asks for it itself
    if publication.registries.github is None:
        raise NotDone("no repository is known: set GITHUB_REPOSITORY to OWNER/NAME, and resume")
    repository = "/".join(publication.registries.github.split("/")[-2:])
    home = publication.work / "home"
    home.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "pypi_attestations", "verify", "pypi", "--repository"]
    command += [f"https://github.com/{repository}", f"pypi:{artifact.path.name}"]
    env = {**neutral(home), **publication.network}
    try:
        processes.run(command, log=publication.log, env=env, inherit=False)
    except processes.CommandFailed as failed:
        raise NotDone(
            f"the attestation of {artifact.path.name} is not one of https://github.com/{repository}: "
            f"find out who has uploaded it.\n{describe(failed)}"
        ) from None


def check_stand_in(
    publication: Publication, artifact: Artifact, provenance: Mapping[str, Any]
) -> None:
    """Check that what the index on loopback gives out is about this file.

    Raises:
        Impossible: It is about another.
    """
    del publication
    given = [
        attestation["sha256"]
        for bundle in provenance["attestation_bundles"]
        for attestation in bundle["attestations"]
    ]
    if set(given) != {artifact.sha256}:
        raise Impossible(f"the attestation of {artifact.path.name} is about other bytes")


def stand_in(publication: Publication, files: Sequence[Path]) -> list[Path]:
    """Write what only says which file it is about: on loopback nothing is signed."""
    del publication
    written = []
    for path in files:
        attestation = path.with_name(f"{path.name}{SUFFIX}")
        attestation.write_text(json.dumps({"loopback": True, "sha256": sha256(path)}), "utf-8")
        written.append(attestation)
    return written
