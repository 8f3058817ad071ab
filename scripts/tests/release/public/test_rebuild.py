"""A file that was not built from its tag is found by building it again: what differs is named."""

import io
import os
import shutil
import tarfile
import zipfile
from pathlib import Path

import pytest

from scripts.release import hostile
from scripts.release.verify_rebuild import NotRebuilt, clone, rebuild
from scripts.release.versions import NPM_NAME, SDK
from scripts.tests.release.public.stranger import Public, Release


@pytest.fixture(scope="module")
def checkout(released: Release, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, version = tmp_path_factory.mktemp("clone"), released.version
    log, url = folder / "log", str(released.repository)
    return clone(url, version, released.identity.commit, folder / "checkout", log)


def said(artifact: Path, package: str, checkout: Path, tmp_path: Path) -> str:
    with pytest.raises(NotRebuilt) as caught:
        rebuild(artifact, package, checkout, tmp_path / "b", log=tmp_path / "log", downloads={})
    return str(caught.value)


def test_what_was_added_to_a_wheel_is_named(
    released: Release, checkout: Path, tmp_path: Path
) -> None:
    wheel = Path(shutil.copy(released.named(".whl").path, tmp_path))
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("arcrun_init.pth", "import os; os.environ\n")
    lines = said(wheel, SDK, checkout, tmp_path).splitlines()
    assert lines[0] == f"a build from the tag makes another {wheel.name}:"
    assert lines[1] == "  + arcrun_init.pth"
    assert "+import os; os.environ" in lines[2] + lines[3]


def test_a_wheel_with_the_same_files_in_another_order_is_not_the_same(
    released: Release, checkout: Path, tmp_path: Path
) -> None:
    original = released.named(".whl").path
    wheel = tmp_path / original.name
    with zipfile.ZipFile(original) as before, zipfile.ZipFile(wheel, "w") as after:
        for name in reversed(before.namelist()):
            after.writestr(name, before.read(name))
    told = said(wheel, SDK, checkout, tmp_path)
    assert "the files in it are the same, but their order, times, modes or compression" in told


def test_what_was_changed_in_a_tarball_of_npm_is_named(
    released: Release, checkout: Path, tmp_path: Path
) -> None:
    original = released.named(".tgz").path
    tarball = tmp_path / original.name
    with tarfile.open(original) as before, tarfile.open(tarball, "w:gz") as after:
        for member in before:
            file = before.extractfile(member)
            assert file
            content = file.read() + (b"evil();\n" if member.name.endswith(".js") else b"")
            member.size = len(content)
            after.addfile(member, io.BytesIO(content))
    lines = said(tarball, NPM_NAME, checkout, tmp_path).splitlines()
    assert lines[1] == "  ~ dist/index.js"
    assert any("evil();" in line for line in lines[2:])


def test_a_file_that_no_build_makes_is_named(
    released: Release, checkout: Path, tmp_path: Path
) -> None:
    wheel = tmp_path / "other-1.0.0-py3-none-any.whl"
    shutil.copyfile(released.named(".whl").path, wheel)
    told = said(wheel, SDK, checkout, tmp_path)
    assert told.startswith(f"the build makes no {wheel.name}; it makes arcrun-")


def test_what_is_no_archive_is_not_unpacked(
    released: Release, checkout: Path, tmp_path: Path
) -> None:
    wheel = tmp_path / released.named(".whl").path.name
    wheel.write_bytes(b"other")
    assert "it is no such archive: BadZipFile" in said(wheel, SDK, checkout, tmp_path)


@pytest.mark.parametrize("end", [".whl", ".tgz"])
def test_no_setting_of_the_caller_changes_what_is_built(
    end: str,
    public: Public,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """As from one of git's own hooks, which name a repository, or beside a project that PYTHONPATH names."""
    (tmp_path / "caller").mkdir()
    settings = hostile.settings("127.0.0.1:1", tmp_path / "caller")
    for name in ("PYTHONPATH", "NODE_OPTIONS", "GIT_DIR", "SOURCE_DATE_EPOCH", "TZ", "LC_ALL"):
        monkeypatch.setenv(name, settings[name])
    before = dict(os.environ)
    code = public.verify(end, "--rebuild")
    printed = capsys.readouterr()
    assert code == 0, printed.err
    assert "in a fresh clone gives the same bytes" in printed.out
    assert dict(os.environ) == before
