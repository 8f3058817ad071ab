"""Attest the files for PyPI: by Sigstore, with the identity of the workflow; on loopback by a stand-in.

What GitHub's runner has attested is checked here too, for whoever has downloaded a file.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, NamedTuple

from scripts import processes
from scripts.release.artifacts import sha256
from scripts.release.environment import neutral
from scripts.release.publish.publication import Impossible, NotDone

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from typing import Any

    from cryptography.x509 import Certificate
    from sigstore.models import Bundle
    from sigstore.verify import Verifier

    from scripts.release.artifacts import Artifact
    from scripts.release.publish.publication import Publication

SUFFIX = ".publish.attestation"
# Who gives identities to GitHub's workflows, and what they sign.
ISSUER = "https://token.actions.githubusercontent.com"
PAYLOAD, STATEMENT = "application/vnd.in-toto+json", "https://in-toto.io/Statement/v1"
PREDICATE, PYPI_PREDICATE = (
    "https://slsa.dev/provenance/v1",
    "https://docs.pypi.org/attestations/publish/v1",
)
WORKFLOW = ".github/workflows/release.yml"


class NotAttested(Exception):
    """No attestation proves that a file was made by our workflow; the message says why."""


class Identity(NamedTuple):
    """The only one that may attest a release: a workflow file, in a repository, at a tag, on a commit."""

    repository: str
    tag: str
    commit: str
    workflow: str = WORKFLOW

    @property
    def workflow_url(self) -> str:
        """Return what Sigstore's certificates have.

        Example:
            >>> Identity("owner/name", "v1.2.3", "0" * 40).workflow_url
            'https://github.com/owner/name/.github/workflows/release.yml@refs/tags/v1.2.3'
        """
        return f"https://github.com/{self.repository}/{self.workflow}@refs/tags/{self.tag}"


def verifier(trust_root: Path | None) -> Verifier:
    """Return what verifies bundles: by the trust root of Sigstore, asked for anew, or by that of a file.

    Raises:
        NotAttested: There is none.
    """
    from sigstore.errors import Error  # noqa: PLC0415 - of a library that few sessions have
    from sigstore.models import TrustedRoot  # noqa: PLC0415
    from sigstore.verify import Verifier  # noqa: PLC0415

    try:
        if trust_root is None:
            return Verifier.production()
        return Verifier(trusted_root=TrustedRoot.from_file(str(trust_root)))
    except (Error, OSError, ValueError) as error:
        where = "that of Sigstore could not be asked for" if trust_root is None else trust_root
        raise NotAttested(
            f"there is no trust root to verify attestations with: {where} ({_first_line(error)})"
        ) from None


def check_bundles(
    bundles: Sequence[Mapping[str, Any]],
    name: str,
    digest: str,
    identity: Identity,
    verifies: Verifier,
) -> None:
    """Check that one of these Sigstore bundles attests a file with the identity of the release's workflow.

    Raises:
        NotAttested: There is none, or none is right; says what is wrong with each.
    """
    from sigstore.models import Bundle  # noqa: PLC0415

    def check(bundle: Mapping[str, Any]) -> None:
        signed = _converted(lambda: Bundle.from_json(json.dumps(bundle)), name)
        _check_signed(signed, name, digest, identity, verifies, predicate=PREDICATE)

    _require_one(bundles, check, name)


def check_provenance(
    provenance: Mapping[str, Any],
    name: str,
    digest: str,
    identity: Identity,
    verifies: Verifier,
) -> None:
    """Check that PyPI's provenance of a file (PEP 740) has an attestation with the identity of the release's workflow.

    Raises:
        NotAttested: It has none, or none is right; says what is wrong with each.
    """
    from pypi_attestations import Attestation  # noqa: PLC0415

    def check(attestation: Mapping[str, Any]) -> None:
        signed = _converted(
            lambda: Attestation.model_validate_json(json.dumps(attestation)).to_bundle(), name
        )
        _check_signed(signed, name, digest, identity, verifies, predicate=PYPI_PREDICATE)

    bundles = provenance.get("attestation_bundles", ())
    _require_one([each for bundle in bundles for each in bundle["attestations"]], check, name)


def _require_one(
    attestations: Sequence[Mapping[str, Any]],
    check: Callable[[Mapping[str, Any]], None],
    name: str,
) -> None:
    if not attestations:
        raise NotAttested(
            f"there is no attestation of {name}: nobody says that our workflow made it"
        )
    problems = []
    for each in attestations:
        try:
            check(each)
        except NotAttested as problem:
            problems.append(str(problem))
        else:
            return
    raise NotAttested("\n".join(dict.fromkeys(problems)))


def _converted(convert: Callable[[], Bundle], name: str) -> Bundle:
    from sigstore.errors import Error  # noqa: PLC0415

    try:
        return convert()
    except (Error, ValueError, LookupError) as error:
        raise NotAttested(
            f"the attestation of {name} can't be read: {_first_line(error)}"
        ) from None


def _check_signed(
    signed: Bundle,
    name: str,
    digest: str,
    identity: Identity,
    verifies: Verifier,
    *,
    predicate: str,
) -> None:
    from sigstore.errors import CertValidationError, Error  # noqa: PLC0415

    try:
        kind, payload = verifies.verify_dsse(signed, _OfTheRelease(name, identity))
    except CertValidationError as error:
        raise NotAttested(
            f"the attestation of {name} was signed when its certificate was not valid, or by an "
            f"authority that is not trusted: {_first_line(error)}"
        ) from None
    except (Error, ValueError, AttributeError) as error:
        raise NotAttested(
            f"the attestation of {name} is not what Sigstore has signed and logged: {_first_line(error)}"
        ) from None
    _check_statement(kind, payload, name, digest, predicate)


class _OfTheRelease(NamedTuple):
    """What a certificate must say: the policy that the library asks for."""

    name: str
    identity: Identity

    def verify(self, cert: Certificate) -> None:
        """Check the certificate of a bundle.

        Raises:
            NotAttested: It is another workflow's, or of another commit.
        """
        from sigstore.errors import VerificationError  # noqa: PLC0415
        from sigstore.verify import policy  # noqa: PLC0415

        url, commit = self.identity.workflow_url, self.identity.commit
        try:
            policy.OIDCIssuerV2(ISSUER).verify(cert)
            policy.Identity(identity=url).verify(cert)
        except VerificationError as error:
            raise NotAttested(
                f"the attestation of {self.name} was not made by {url}: {_first_line(error)}"
            ) from None
        try:
            policy.OIDCSourceRepositoryDigest(commit).verify(cert)
        except VerificationError as error:
            raise NotAttested(
                f"the attestation of {self.name} was made at another commit than {commit}, which "
                f"the evidence names: {_first_line(error)}"
            ) from None


def _check_statement(kind: str, payload: bytes, name: str, digest: str, predicate: str) -> None:
    try:
        statement = json.loads(payload)
        subjects = {each["digest"]["sha256"]: each["name"] for each in statement["subject"]}
        found = (kind, statement["_type"], statement["predicateType"])
    except (ValueError, KeyError, TypeError) as error:
        raise NotAttested(
            f"the attestation of {name} has no statement about files: {type(error).__name__} {error}"
        ) from None
    if found != (PAYLOAD, STATEMENT, predicate):
        raise NotAttested(f"the attestation of {name} states {found[2]}, and not {predicate}")
    if digest not in subjects:
        others = ", ".join(f"{each} (SHA-256 {key})" for key, each in subjects.items())
        raise NotAttested(
            f"the attestation is not about this {name} (SHA-256 {digest}): it is about {others}"
        )


def _first_line(error: Exception) -> str:
    return f"{error}".strip().partition("\n")[0][:300] or type(error).__name__


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
    publication: Publication,
    artifact: Artifact,
    provenance: Mapping[str, Any],
    trust_root: Path | None = None,
) -> None:
    """Check that what PyPI gives out as the provenance of a file was signed by the release's workflow, at its tag.

    Raises:
        NotDone: It was not, or can't be checked.
    """
    if publication.registries.github is None:
        raise NotDone("no repository is known: set GITHUB_REPOSITORY to OWNER/NAME, and resume")
    repository = "/".join(publication.registries.github.split("/")[-2:])
    commit = publication.evidence["git"]["commit"]
    identity = Identity(repository, f"v{publication.version}", commit)
    name = artifact.path.name
    try:
        check_provenance(provenance, name, artifact.sha256, identity, verifier(trust_root))
    except NotAttested as problem:
        raise NotDone(f"{problem}; find out who has uploaded it") from None


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
