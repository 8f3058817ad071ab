"""Make packages that are tiny, and everything else that a publication needs, in a folder of their own."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import subprocess
import tarfile
import zipfile
from typing import TYPE_CHECKING

from scripts.release.artifacts import Artifact, sha256
from scripts.release.git import head_commit
from scripts.release.publish import tiny_evidence
from scripts.release.publish.attestations import check_stand_in, stand_in
from scripts.release.publish.publication import Credentials, Publication, Registries
from scripts.release.versions import NPM_NAME, PACKAGES, our_urls

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

VERSION = "7.0.0"


def make(folder: Path, registries: Registries) -> Publication:
    """Return a publication of tiny packages of every name, from a repository with one commit."""
    dist, evidence = folder / "dist", folder / "evidence"
    for each in (dist, evidence, folder / "work"):
        each.mkdir(parents=True, exist_ok=True)
    _commit(folder / "checkout")
    artifacts = [
        Artifact(package, path, sha256(path))
        for package in PACKAGES
        for path in (wheel(dist, package), sdist(dist, package))
    ]
    tarball = npm_tarball(dist)
    artifacts.append(Artifact(NPM_NAME, tarball, sha256(tarball)))
    file = tiny_evidence.write(folder, artifacts, VERSION, head_commit(folder / "checkout"))
    document = json.loads(file.read_text("utf-8"))
    report = evidence / "conformance.json"
    gate = {"gate": {"verdict": "GO"}, "target": {"name": "local"}}
    report.write_text(json.dumps({**gate, "artifacts": document["artifacts"]}), "utf-8")
    return Publication(
        root=folder / "checkout",
        artifacts=artifacts,
        evidence=document,
        evidence_file=file,
        live_report=report,
        work=folder / "work",
        log=folder / "publish.log",
        registries=registries,
        credentials=Credentials("loopback", "loopback", "loopback"),
        network={},
        attest=stand_in,
        check_attestation=check_stand_in,
        prove=not_proven,
    )


def not_proven(publication: Publication, folder: Path) -> str:
    """Say how many files there are: tiny packages have nothing that could be run."""
    del publication
    return f"{len(list(folder.iterdir()))} files"


def _commit(root: Path) -> None:
    root.mkdir()
    (root / "README.md").write_text("tiny\n", "utf-8")
    who = ("-c", "user.name=A", "-c", "user.email=a@example.com")
    quiet = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    for arguments in (
        ("init", "--quiet", "--initial-branch=main"),
        ("add", "README.md"),
        (*who, "commit", "--quiet", "--message=Begin"),
    ):
        env = {**os.environ, **quiet}
        subprocess.run(["git", *arguments], cwd=root, check=True, env=env)


def wheel(folder: Path, package: str, version: str = VERSION, text: str = "") -> Path:
    """Write a wheel with one module."""
    module = package.replace("-", "_")
    info = f"{module}-{version}.dist-info"
    files = {
        f"{module}/__init__.py": text.encode(),
        f"{info}/METADATA": _metadata(package, version),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{info}/RECORD"] = _record(files, f"{info}/RECORD")
    path = folder / f"{module}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return path


def _metadata(package: str, version: str) -> bytes:
    url = f"Project-URL: Homepage, {our_urls()[0]}\n"
    return f"Metadata-Version: 2.4\nName: {package}\nVersion: {version}\n{url}".encode()


def _record(files: Mapping[str, bytes], own: str) -> bytes:
    lines = [
        f"{name},sha256={_urlsafe(hashlib.sha256(content).digest())},{len(content)}"
        for name, content in files.items()
    ]
    return "\n".join([*lines, f"{own},,", ""]).encode()


def _urlsafe(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def sdist(folder: Path, package: str, version: str = VERSION) -> Path:
    """Write a source distribution with nothing but its metadata and one module."""
    module = package.replace("-", "_")
    path, top = folder / f"{module}-{version}.tar.gz", f"{module}-{version}"
    files = {"PKG-INFO": _metadata(package, version), f"src/{module}.py": b""}
    _tar(path, {f"{top}/{name}": content for name, content in files.items()})
    return path


def npm_tarball(folder: Path, version: str = VERSION, text: str = "export {};\n") -> Path:
    """Write a tarball of npm with one module."""
    path = folder / f"{NPM_NAME.removeprefix('@').replace('/', '-')}-{version}.tgz"
    manifest = {"name": NPM_NAME, "version": version, "homepage": our_urls()[0]}
    files = {"package.json": json.dumps(manifest).encode(), "index.js": text.encode()}
    _tar(path, {f"package/{name}": content for name, content in files.items()})
    return path


def _tar(path: Path, files: Mapping[str, bytes]) -> None:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
