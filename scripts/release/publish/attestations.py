"""Attest the files for PyPI: by Sigstore, with the identity of the workflow; on loopback by a stand-in."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from scripts import processes
from scripts.release.artifacts import sha256
from scripts.release.environment import neutral

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

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


def stand_in(publication: Publication, files: Sequence[Path]) -> list[Path]:
    """Write what only says which file it is about: on loopback nothing is signed."""
    del publication
    written = []
    for path in files:
        attestation = path.with_name(f"{path.name}{SUFFIX}")
        attestation.write_text(json.dumps({"loopback": True, "sha256": sha256(path)}), "utf-8")
        written.append(attestation)
    return written
