import json
import subprocess
import tarfile
from pathlib import Path

import pytest

from scripts.processes import CommandFailed
from scripts.release.artifacts import NotReproducible, sha256
from scripts.release.npm import tools
from scripts.release.npm.build import build_twice, integrity
from scripts.release.versions import NPM_FOLDER

try:
    tools.program("npm")
except tools.NodeMissing as node_missing:
    pytest.skip(str(node_missing), allow_module_level=True)

MANIFEST = {
    "name": "@arcrun/sdk",
    "version": "1.2.3",
    "files": ["dist"],
    "scripts": {"build": "node build.cjs"},
}
LOCK = {"name": "@arcrun/sdk", "lockfileVersion": 3, "packages": {"": {"version": "1.2.3"}}}
BUILD = """
const { mkdirSync, writeFileSync } = require("node:fs");
mkdirSync("dist");
writeFileSync("dist/index.js", WHAT);
"""


def checkout(tmp_path: Path, what: str) -> Path:
    """A checkout of a small package without dependencies, whose build writes a JavaScript value."""
    root = tmp_path / "checkout"
    folder = root / NPM_FOLDER
    folder.mkdir(parents=True)
    (folder / "package.json").write_text(json.dumps(MANIFEST))
    (folder / "package-lock.json").write_text(json.dumps(LOCK))
    (folder / "build.cjs").write_text(BUILD.replace("WHAT", what))
    (root / ".gitignore").write_text("dist/\n")
    (folder / "dist").mkdir()
    (folder / "dist" / "left-over.js").write_text("")
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    subprocess.run(["git", "add", "-A"], cwd=root, check=True)
    return root


def test_umask_folder_and_time_zone_do_not_change_the_package(tmp_path: Path) -> None:
    root = checkout(tmp_path, "'// 河道'")
    built = build_twice(
        root, tmp_path / "work", tmp_path / "dist", tmp_path / "logs" / "npm.log", {}
    )
    assert (built.artifact.package, built.version) == ("@arcrun/sdk", "1.2.3")
    assert built.path == tmp_path / "dist" / "arcrun-sdk-1.2.3.tgz"
    assert built.artifact.sha256 == sha256(built.path)
    assert built.integrity == integrity(built.path)
    with tarfile.open(built.path) as archive:
        modes = {member.name: member.mode for member in archive.getmembers()}
    assert modes == {"package/package.json": 0o644, "package/dist/index.js": 0o644}


@pytest.mark.parametrize("what", ["process.env.TZ", "process.cwd()", "String(process.umask())"])
def test_a_build_that_depends_on_its_surroundings_is_refused(tmp_path: Path, what: str) -> None:
    root = checkout(tmp_path, what)
    with pytest.raises(
        NotReproducible,
        match=r"arcrun-sdk-1\.2\.3\.tgz differs between two.*: package/dist/index\.js in it",
    ):
        build_twice(root, tmp_path / "work", tmp_path / "dist", tmp_path / "logs" / "npm.log", {})
    assert not (tmp_path / "dist").exists()


def test_a_build_that_fails_is_an_error_with_its_log(tmp_path: Path) -> None:
    root = checkout(tmp_path, "沒有這個")
    with pytest.raises(CommandFailed, match="run build") as caught:
        build_twice(root, tmp_path / "work", tmp_path / "dist", tmp_path / "logs" / "npm.log", {})
    assert "沒有這個 is not defined" in caught.value.log.read_text("utf-8")


def test_integrity_is_written_as_npm_writes_it(tmp_path: Path) -> None:
    # The SHA-512 of nothing, as RFC 6234's test suite and every package manager know it.
    (tmp_path / "empty").write_bytes(b"")
    assert integrity(tmp_path / "empty") == (
        "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg=="
    )
