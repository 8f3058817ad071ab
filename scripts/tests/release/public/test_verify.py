"""A stranger verifies what they have downloaded: what holds is said, and each lie ends in a sentence."""

import datetime as dt
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scripts.release.artifacts import sha256
from scripts.release.publish.loopback_sigstore import Sigstore
from scripts.tests.release.public.stranger import Public, run_git

WHEEL, SDIST, TARBALL = ".whl", "tar.gz", ".tgz"


@pytest.mark.parametrize("end", [WHEEL, SDIST, TARBALL])
def test_what_was_released_is_verified_everywhere_and_built_again(
    public: Public, end: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = public.verify(end, "--rebuild")
    said = capsys.readouterr()
    assert (code, said.err) == (0, "")
    name = public.release.named(end).path.name
    registry = "npm" if end == TARBALL else "PyPI"
    workflow = f"https://github.com/OWNER/NAME/.github/workflows/release.yml@refs/tags/v{public.release.version}"
    lines = said.out.splitlines()
    assert lines[0].startswith(f"✓ evidence: GO of {public.release.version} at ")
    assert lines[1].startswith(f"✓ evidence: {name}: its SHA-256, and that in sbom-")
    assert lines[2] == f"✓ registry: {name}: {registry} gives out these bytes"
    assert lines[3].startswith(f"✓ attestation: release.json, {name}: made by {workflow}, at this")
    assert lines[4] == f"✓ rebuild: v{public.release.version} in a fresh clone gives the same bytes"
    assert lines[5].endswith("as released")


def wheel(public: Public) -> Path:
    return public.downloads / public.release.named(WHEEL).path.name


def swap_the_file(public: Public) -> None:
    shutil.copyfile(public.downloads / public.release.named(SDIST).path.name, wheel(public))


def edit(change: Callable[[Any], Any]) -> Callable[[Public], None]:
    """Edit release.json in the archive on GitHub."""

    def write(path: Path) -> None:
        document = json.loads(path.read_text("utf-8"))
        change(document)
        path.write_text(json.dumps(document), "utf-8")

    return lambda public: public.edit_evidence(write)


def edit_sbom(*, hide: bool) -> Callable[[Public], None]:
    """Leave a dependency out of a bill of materials; with `hide` the evidence gets its new hash."""

    def write(path: Path) -> None:
        sbom = path.parent / "sbom-arcrun.json"
        document = json.loads(sbom.read_text("utf-8"))
        sbom.write_text(json.dumps({**document, "components": []}), "utf-8")
        evidence = json.loads(path.read_text("utf-8"))
        for each in evidence["results"]:
            if hide and each["file"] == sbom.name:
                each["sha256"] = sha256(sbom)
        path.write_text(json.dumps(evidence), "utf-8")

    return lambda public: public.edit_evidence(write)


def another_tree(public: Public) -> None:
    """Name another commit in the evidence, and attest that by the workflow at the commit of the release."""
    edit(lambda it: it["git"].update(commit="1" * 40))(public)
    edited = public.downloads.parent / "release.json"
    subjects = {"release.json": sha256(edited)}
    public.attest(edited, public.release.sigstore.attest(subjects, public.release.identity))


def attested(**by: Any) -> Callable[[Public], None]:
    """Attest the file by another identity, late, or by another authority."""

    def plant(public: Public) -> None:
        late, authority = by.get("late", dt.timedelta(0)), by.get("authority")
        other = {name: by[name] for name in ("repository", "workflow", "tag") if name in by}
        sigstore = authority() if authority else public.release.sigstore
        identity = public.release.identity._replace(**other)
        path = wheel(public)
        subjects = {path.name: by.get("digest", sha256(path))}
        public.attest(path, sigstore.attest(subjects, identity, late=late))

    return plant


def change_the_statement(public: Public) -> None:
    """Put another statement under a signature."""
    path = wheel(public)
    bundle = public.release.sigstore.attest({path.name: "0" * 64}, public.release.identity)
    right = public.release.sigstore.attest({path.name: sha256(path)}, public.release.identity)
    bundle["dsseEnvelope"]["payload"] = right["dsseEnvelope"]["payload"]
    public.attest(path, bundle)


def other_bytes_in_the_registry(public: Public) -> None:
    public.loopback.storage.of("pypi").file(wheel(public).name).write_bytes(b"other")


def nothing_in_the_registry(public: Public) -> None:
    public.change("pypi", "uploads", lambda uploads: uploads.pop(wheel(public).name))


def provenance(**by: Any) -> Callable[[Public], None]:
    """Let PyPI have an attestation by another identity, or of another file, or none."""

    def plant(public: Public) -> None:
        path, identity = wheel(public), public.release.identity
        digest = by.pop("digest", sha256(path))
        given = public.release.sigstore.provenance(path.name, digest, identity._replace(**by))
        public.change("pypi", "uploads", lambda them: them[path.name].update(provenance=given))

    return plant


def no_provenance(public: Public) -> None:
    name, empty = wheel(public).name, {"attestation_bundles": []}
    public.change("pypi", "uploads", lambda them: them[name].update(provenance=empty))


def draft(public: Public) -> None:
    public.change("github", "releases", lambda them: them["1"].update(draft=True))


LIES: dict[str, tuple[Callable[[Public], None], str]] = {
    "the file was swapped": (swap_the_file, "is not the file that was released:"),
    "the verdict was edited": (
        edit(lambda it: it["steps"][5].update(status="failed")),
        "did not pass: it failed\nthe evidence says GO, and its parts do not",
    ),
    "a step was removed": (
        edit(lambda it: it["steps"].pop()),
        "the step npm_tests is not in the evidence",
    ),
    "the evidence was edited so that its parts still lead to GO": (
        edit(lambda it: it["tools"].update(twine="0")),
        "there is no attestation of release.json: nobody says that our workflow made it",
    ),
    "a bill of materials was edited": (
        edit_sbom(hide=False),
        "evidence/sbom-arcrun.json was changed after the rehearsal",
    ),
    "a bill of materials was edited, with its hash": (
        edit_sbom(hide=True),
        "there is no attestation of release.json",
    ),
    "the evidence is that of another tree": (
        another_tree,
        f"was made at another commit than {'1' * 40}, which the evidence names",
    ),
    "there is no attestation": (
        lambda public: public.attest(wheel(public)),
        ".whl: nobody says that our workflow made it",
    ),
    "the attestation is that of another file": (
        attested(digest="0" * 64),
        "the attestation is not about this arcrun-",
    ),
    "the attestation is that of another repository": (
        attested(repository="OWNER/FORK"),
        "was not made by https://github.com/OWNER/NAME/.github/workflows/release.yml@refs/tags/v",
    ),
    "the attestation is that of another workflow": (
        attested(workflow=".github/workflows/ci.yml"),
        "/.github/workflows/ci.yml@refs/tags/",
    ),
    "the attestation is that of another tag": (attested(tag="v9.9.9"), "refs/tags/v9.9.9"),
    "the certificate had expired": (
        attested(late=dt.timedelta(minutes=11)),
        "was signed when its certificate was not valid, or by an authority that is not trusted",
    ),
    "another authority has signed": (
        attested(authority=Sigstore),
        "was signed when its certificate was not valid, or by an authority that is not trusted",
    ),
    "the statement is not what was signed": (
        change_the_statement,
        "is not what Sigstore has signed and logged: ",
    ),
    "the registry serves other bytes": (
        other_bytes_in_the_registry,
        "PyPI gives out other bytes as arcrun-",
    ),
    "the registry has nothing": (nothing_in_the_registry, "PyPI has no arcrun-"),
    "PyPI has no attestation": (no_provenance, ".whl on PyPI: nobody says that our workflow made it"),
    "PyPI's attestation is that of a branch": (
        provenance(workflow=".github/workflows/release.yml@refs/heads/x#"),
        ".whl on PyPI was not made by https://github.com/OWNER/NAME/.github/workflows/release.yml@refs/tags/",
    ),
    "PyPI's attestation is that of another file": (
        provenance(digest="0" * 64),
        "the attestation is not about this arcrun-",
    ),
    "the release is not public": (draft, "OWNER/NAME has no release v"),
}  # fmt: skip


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_ends_in_a_sentence(
    public: Public, lie: str, capsys: pytest.CaptureFixture[str]
) -> None:
    plant, says = LIES[lie]
    plant(public)
    assert public.verify(WHEEL) == 1
    said = capsys.readouterr()
    assert said.err.startswith("✗ ")
    assert says in said.err
    assert "as released" not in said.out


def test_one_right_attestation_is_enough(public: Public) -> None:
    path = wheel(public)
    right = public.release.sigstore.attest({path.name: sha256(path)}, public.release.identity)
    public.attest(
        path, {"other": 1}, Sigstore().attest({path.name: "0"}, public.release.identity), right
    )
    assert public.verify(WHEEL) == 0


def test_npm_that_serves_other_bytes_is_named(
    public: Public, capsys: pytest.CaptureFixture[str]
) -> None:
    name = public.release.named(TARBALL).path.name
    public.loopback.storage.of("npm").file(name).write_bytes(b"other")
    assert public.verify(TARBALL) == 1
    assert f"✗ npm gives out other bytes as {name}" in capsys.readouterr().err


def test_a_registry_that_is_down_is_no_proof(
    public: Public, capsys: pytest.CaptureFixture[str]
) -> None:
    for service in ("github", "pypi"):
        public.loopback.down = {service}
        assert public.verify(WHEEL) == 1
        assert "answered" in capsys.readouterr().err


def move_the_tag(public: Public, repository: Path) -> str:
    shutil.copytree(public.release.repository, repository)
    run_git(repository, "commit", "--quiet", "--allow-empty", "--message=Later")
    run_git(repository, "tag", "--force", f"v{public.release.version}")
    return f"the tag v{public.release.version} was moved: it is at "


def remove_the_tag(public: Public, repository: Path) -> str:
    shutil.copytree(public.release.repository, repository)
    run_git(repository, "tag", "--delete", f"v{public.release.version}")
    return f"has no tag v{public.release.version}: there is nothing to build from"


@pytest.mark.parametrize("plant", [move_the_tag, remove_the_tag])
def test_a_tag_that_is_not_where_it_was_is_found_by_building_again(
    public: Public,
    plant: Callable[[Public, Path], str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    repository = tmp_path / "repository"
    says = plant(public, repository)
    assert public.verify(WHEEL, "--rebuild", "--clone", str(repository)) == 1
    assert says in capsys.readouterr().err


def test_a_repository_that_can_not_be_cloned_is_a_sentence(
    public: Public, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nowhere = tmp_path / "nowhere"
    assert public.verify(WHEEL, "--rebuild", "--clone", str(nowhere)) == 1
    assert f"✗ {nowhere} can't be cloned: " in capsys.readouterr().err
