"""What PyPI gives out as the provenance of our files must be signed by our workflow, at the tag of the release."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scripts.release.publish import command, tiny
from scripts.release.publish.attestations import (
    Identity,
    NotAttested,
    check_bundles,
    check_signature,
    verifier,
)
from scripts.release.publish.loopback_sigstore import Sigstore
from scripts.release.publish.publication import NotDone, Publication


@pytest.fixture(scope="module")
def sigstore() -> Sigstore:
    return Sigstore()


@pytest.fixture
def trust_root(sigstore: Sigstore, tmp_path: Path) -> Path:
    path = tmp_path / "trust_root.json"
    path.write_text(sigstore.trust_root)
    return path


@pytest.fixture
def publication(tmp_path: Path) -> Publication:
    made = tiny.make(tmp_path / "release", command.on_loopback("http://127.0.0.1:9"))
    github = "https://api.github.com/repos/OWNER/NAME"
    return replace(made, registries=replace(made.registries, github=github))


def identity_of(publication: Publication) -> Identity:
    commit = publication.evidence["git"]["commit"]
    return Identity("OWNER/NAME", f"v{publication.version}", commit)


def test_an_attestation_of_the_workflow_at_the_tag_is_accepted(
    publication: Publication, sigstore: Sigstore, trust_root: Path
) -> None:
    artifact = publication.python[0]
    given = sigstore.provenance(artifact.path.name, artifact.sha256, identity_of(publication))
    check_signature(publication, artifact, given, trust_root)


@pytest.mark.parametrize(
    ("other", "says"),
    [
        ({"repository": "OWNER/FORK"}, "was not made by https://github.com/OWNER/NAME/"),
        ({"workflow": ".github/workflows/ci.yml"}, "was not made by https://github.com/OWNER/NAME/"),
        ({"tag": "v6.0.0"}, r"was not made by .*@refs/tags/v7\.0\.0: .*@refs/tags/v6\.0\.0"),
        ({"commit": "1" * 40}, "was made at another commit than "),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)  # fmt: skip
def test_another_identity_is_refused(
    publication: Publication,
    sigstore: Sigstore,
    trust_root: Path,
    other: dict[str, Any],
    says: str,
) -> None:
    artifact, identity = publication.python[0], identity_of(publication)._replace(**other)
    given = sigstore.provenance(artifact.path.name, artifact.sha256, identity)
    with pytest.raises(NotDone, match=f"{says}.*; find out who has uploaded it"):
        check_signature(publication, artifact, given, trust_root)


def test_an_attestation_of_another_kind_is_refused(
    publication: Publication, sigstore: Sigstore, trust_root: Path
) -> None:
    identity = identity_of(publication)
    bundle = sigstore.attest({"a": "a" * 64}, identity, predicate="https://example.com/seen/v1")
    with pytest.raises(NotAttested, match=r"states https://example[.]com/seen/v1, and not"):
        check_bundles([bundle], "a", "a" * 64, identity, verifier(trust_root))


@pytest.mark.parametrize(
    "provenance",
    [{}, {"attestation_bundles": []}, {"attestation_bundles": [{"attestations": []}]}],
)
def test_no_attestation_is_refused(
    publication: Publication, trust_root: Path, provenance: dict[str, Any]
) -> None:
    with pytest.raises(NotDone, match="there is no attestation of arcrun-7"):
        check_signature(publication, publication.python[0], provenance, trust_root)


def test_what_is_no_attestation_is_refused(publication: Publication, trust_root: Path) -> None:
    given = {"attestation_bundles": [{"attestations": [{"loopback": True}]}]}
    with pytest.raises(NotDone, match=r"the attestation of arcrun-7.* can't be read: "):
        check_signature(publication, publication.python[0], given, trust_root)


def test_a_file_that_is_no_trust_root_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "root.json"
    for write in (lambda: None, lambda: path.write_text("{}"), lambda: path.write_text("套件")):
        write()
        with pytest.raises(NotAttested, match=r"no trust root to verify .* with: .*root\.json \("):
            verifier(path)
