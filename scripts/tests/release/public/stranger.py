"""A release of this repository, public on loopback, and a stranger who verifies it."""

import json
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts import ROOT
from scripts.release import evidence_archive, git
from scripts.release.artifacts import BUILD_ENVIRONMENTS, Artifact, sha256
from scripts.release.npm.build import build_once, integrity
from scripts.release.publish import tiny, tiny_evidence
from scripts.release.publish.attestations import Identity
from scripts.release.publish.loopback import Loopback
from scripts.release.publish.loopback_sigstore import Sigstore
from scripts.release.python.build import build_package
from scripts.release.verify import main
from scripts.release.versions import NPM_FOLDER, NPM_NAME, PACKAGES, SDK, agreed_version

REPOSITORY = "OWNER/NAME"
_NPM = {
    "package.json": {"scripts": {"build": "node build.cjs"}, "files": ["dist"]},
    "package-lock.json": {"name": NPM_NAME, "lockfileVersion": 3},
}
_BUILD = """
const { mkdirSync, writeFileSync } = require("node:fs");
mkdirSync("dist");
writeFileSync("dist/index.js", "// 河道");
"""


@dataclass
class Release:
    """A release, as its maintainers have made it.

    Attributes:
        folder: Has `dist/`, `evidence/` and `reports/`.
        repository: The git repository.
        version: The version.
        artifacts: The files.
        sigstore: Who has signed the attestations.
    """

    folder: Path
    repository: Path
    version: str
    artifacts: Sequence[Artifact]
    sigstore: Sigstore

    @property
    def evidence(self) -> Path:
        return self.folder / "evidence" / "release.json"

    @property
    def identity(self) -> Identity:
        return Identity(REPOSITORY, f"v{self.version}", git.head_commit(self.repository))

    def named(self, end: str) -> Artifact:
        """Return the file of the SDK whose name has this end."""
        names = {SDK, NPM_NAME}
        (found,) = (e for e in self.artifacts if e.package in names and e.path.name.endswith(end))
        return found


@dataclass
class Public:
    """What is public, and a stranger who has downloaded files.

    Attributes:
        release: What was released.
        loopback: The registries and GitHub.
        downloads: The folder of the stranger.
        trust_root: The file with what the stranger trusts.
    """

    release: Release
    loopback: Loopback
    downloads: Path
    trust_root: Path

    @property
    def addresses(self) -> list[str]:
        """Return the options that name loopback in place of the public registries."""
        of = self.loopback.of
        options = {"pypi-url": of("pypi"), "npm-url": of("npm"), "github-url": of("github")}
        options |= {"trust-root": str(self.trust_root), "repository": REPOSITORY}
        return [part for name, value in options.items() for part in (f"--{name}", value)]

    def verify(self, end: str, *further: str) -> int:
        """Verify the downloaded file whose name has this end; return the exit code."""
        path = self.downloads / self.release.named(end).path.name
        clone = ["--clone", str(self.release.repository)]
        return main([str(path), *self.addresses, *clone, *further])

    def change(self, service: str, kind: str, change: Callable[[Any], Any]) -> None:
        """Change what a service keeps."""
        shelf = self.loopback.storage.of(service)
        documents = shelf.documents(kind)
        change(documents)
        shelf.keep(kind, documents)

    def attest(self, path: Path, *bundles: Any) -> None:
        """Let GitHub have only these attestations of a file."""
        key = f"sha256:{sha256(path)}"
        self.change("github", "attestations", lambda them: them.update({key: list(bundles)}))

    def edit_evidence(self, change: Callable[[Path], Any]) -> None:
        """Change the parts of the evidence in the release on GitHub; `change` gets the path of release.json."""
        file = self.loopback.storage.of("github").file("1-evidence.tar.gz")
        folder = self.downloads.parent / "edited"
        path = evidence_archive.unpack(file.read_bytes(), folder)
        change(path)
        evidence_archive.pack(path, file)
        shutil.copyfile(path, self.downloads.parent / "release.json")


def run_git(root: Path, *arguments: str) -> str:
    who = ("-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
    command = ["git", *who, *arguments]
    return subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout


def _repository(root: Path, version: str) -> None:
    """Commit and tag the files of this checkout, with an npm package that is built in a second."""
    for name in git.files(ROOT):
        if not name.startswith((NPM_FOLDER, "packages/website")) and (ROOT / name).is_file():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, root / name)
    folder = root / NPM_FOLDER
    folder.mkdir(parents=True)
    stated = {"name": NPM_NAME, "version": version}
    for name, document in _NPM.items():
        packages = {"packages": {"": stated}} if "lock" in name else {}
        (folder / name).write_text(json.dumps({**stated, **document, **packages}))
    (folder / "build.cjs").write_text(_BUILD)
    run_git(root, "init", "--quiet", "--initial-branch=main")
    run_git(root, "add", "--all")
    run_git(root, "commit", "--quiet", "--message=Release")
    run_git(root, "tag", f"v{version}")


def make_release(base: Path) -> Release:
    """Make a release with the real Python SDK, and packages that are tiny."""
    version = agreed_version()
    repository, dist = base / "repository", base / "release" / "dist"
    dist.mkdir(parents=True)
    repository.mkdir()
    _repository(repository, version)
    log, other = base / "build.log", BUILD_ENVIRONMENTS[1]
    epoch = git.commit_time(repository)
    built = build_package(repository, base / "python", SDK, other, epoch=epoch, log=log)
    packed = build_once(repository, base / "npm", log, {})
    made = [(SDK, path) for path in sorted(built.iterdir())]
    made += [(NPM_NAME, path) for path in packed.iterdir()]
    copies = [(package, Path(shutil.copy(path, dist))) for package, path in made]
    for package in PACKAGES.keys() - {SDK}:
        copies += [(package, write(dist, package, version)) for write in (tiny.wheel, tiny.sdist)]
    artifacts = [Artifact(package, path, sha256(path)) for package, path in copies]
    commit = git.head_commit(repository)
    tiny_evidence.write(base / "release", artifacts, version, commit)
    return Release(base / "release", repository, version, artifacts, Sigstore())


def publish(released: Release, serving: Loopback) -> None:
    version, files = released.version, [each.path for each in released.artifacts]
    pypi, npm, github = (serving.storage.of(name) for name in ("pypi", "npm", "github"))
    uploads = {}
    for each in released.artifacts:
        shelf = npm if each.package == NPM_NAME else pypi
        shelf.file(each.path.name).write_bytes(each.path.read_bytes())
        if each.package == NPM_NAME:
            dist = {"integrity": integrity(each.path), "file": each.path.name}
            npm.keep("packages", {NPM_NAME: {version: {"dist": dist}}})
        else:
            entry = {"name": each.package, "version": version, "sha256": each.sha256}
            uploads[each.path.name] = {
                **entry,
                "uploaded": "2026-11-28T08:00:00Z",
                "urls": {},
                "provenance": released.sigstore.provenance(
                    each.path.name, each.sha256, released.identity
                ),
            }
    pypi.keep("uploads", uploads)
    evidence_archive.pack(released.evidence, github.file("1-evidence.tar.gz"))
    assets = [{"name": "evidence.tar.gz"}]
    draft = {"id": 1, "tag_name": f"v{version}", "draft": False, "assets": assets}
    github.keep("releases", {"1": draft})
    everything = [*files, released.evidence]
    bundle = released.sigstore.attest(
        {each.name: sha256(each) for each in everything}, released.identity
    )
    github.keep("attestations", {f"sha256:{sha256(each)}": [bundle] for each in everything})
