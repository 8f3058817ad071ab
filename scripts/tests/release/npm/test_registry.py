"""Publishing to the real verdaccio, and installing from it with the real npm."""

import io
import json
import os
import re
import tarfile
import urllib.error
import urllib.request
from dataclasses import replace
from pathlib import Path

import pytest

from scripts.processes import CommandFailed
from scripts.release.artifacts import Artifact, InstallMismatch, sha256
from scripts.release.npm import install, registry, tools
from scripts.release.npm.build import NpmPackage, integrity
from scripts.release.versions import NPM_NAME

try:
    tools.program("npm")
except tools.NodeMissing as node_missing:
    pytest.skip(str(node_missing), allow_module_level=True)


@pytest.fixture(scope="module")
def verdaccio(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tools")
    return registry.install_verdaccio(folder / "verdaccio", folder / "npm.log", dict(os.environ))


def packed(folder: Path, text: str = "河道", **fields: object) -> NpmPackage:
    """A package of two files, with these fields in its package.json."""
    path = folder / "arcrun-sdk-1.2.3.tgz"
    manifest = json.dumps({"name": NPM_NAME, "version": "1.2.3", **fields})
    files = {"package.json": manifest, "index.js": text}
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"package/{name}")
            member.size, member.mode = len(content.encode()), 0o644
            archive.addfile(member, io.BytesIO(content.encode()))
    return NpmPackage(Artifact(NPM_NAME, path, sha256(path)), "1.2.3", integrity(path), folder)


def test_what_is_uploaded_is_installed_by_version_and_hash_and_never_overwritten(
    verdaccio: Path, tmp_path: Path
) -> None:
    package, log = packed(tmp_path), tmp_path / "npm.log"
    store = tmp_path / "store"
    with registry.npm_registry(verdaccio, store, tmp_path / "registry.log") as url:
        registry.upload_package(package, tmp_path / "upload", url, log)
        installed = install.install_package(package, tmp_path / "clean", url, log)
        (tmp_path / "other").mkdir()
        with pytest.raises(CommandFailed):
            registry.upload_package(
                packed(tmp_path / "other", "別的"), tmp_path / "upload", url, log
            )
        wrong = replace(package, integrity=integrity(log))
        with pytest.raises(CommandFailed):
            install.install_package(wrong, tmp_path / "wrong", url, log)
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"{url}left-pad")
    assert (installed / "index.js").read_text("utf-8") == "河道"
    assert [sha256(path) for path in store.rglob("*.tgz")] == [package.artifact.sha256]
    assert "cannot publish over the previously published versions" in log.read_text("utf-8")
    assert "EINTEGRITY" in log.read_text("utf-8")


def test_settings_of_caller_and_package_send_an_upload_nowhere_else(
    verdaccio: Path, tmp_path: Path, hostile: list[bytes]
) -> None:
    other = os.environ["NPM_CONFIG_REGISTRY"]
    package = packed(tmp_path, publishConfig={"registry": other, "@arcrun:registry": other})
    log, store = tmp_path / "npm.log", tmp_path / "store"
    with registry.npm_registry(verdaccio, store, tmp_path / "registry.log") as url:
        registry.upload_package(package, tmp_path / "upload", url, log)
        installed = install.install_package(package, tmp_path / "clean", url, log)
    assert (installed / "index.js").read_text("utf-8") == "河道"
    assert [sha256(path) for path in store.rglob("*.tgz")] == [package.artifact.sha256]
    assert hostile == []


def test_the_registry_stops_with_its_context(verdaccio: Path, tmp_path: Path) -> None:
    with registry.npm_registry(verdaccio, tmp_path / "store", tmp_path / "log") as url:
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", url)
        with urllib.request.urlopen(f"{url}-/ping") as response:
            assert response.status == 200
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"{url}-/ping")


@pytest.mark.parametrize(
    ("change", "named"),
    [("index.js", "index.js"), ("extra.js", "extra.js"), ("package.json", "package.json")],
)
def test_an_installed_file_that_was_not_sent_is_named(
    tmp_path: Path, change: str, named: str
) -> None:
    package, installed = packed(tmp_path), tmp_path / "installed"
    with tarfile.open(package.path) as archive:
        for member in archive.getmembers():
            target = installed / member.name.removeprefix("package/")
            target.parent.mkdir(exist_ok=True)
            stream = archive.extractfile(member)
            assert stream
            target.write_bytes(stream.read())
    assert install.compare_installed(package.path, installed) == 2
    (installed / change).write_text("別人的", "utf-8")
    with pytest.raises(
        InstallMismatch, match=f"{re.escape(named)} as installed is not the file in"
    ):
        install.compare_installed(package.path, installed)
    (installed / change).unlink()
    if change != "extra.js":
        with pytest.raises(InstallMismatch, match=f"{re.escape(named)} as installed"):
            install.compare_installed(package.path, installed)
