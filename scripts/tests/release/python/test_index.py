import zipfile
from pathlib import Path

import httpx
import pytest

from scripts.processes import CommandFailed, NotStarted
from scripts.release.artifacts import Artifact, sha256
from scripts.release.python import index

METADATA = "Metadata-Version: 2.4\nName: arcrun-rehearsal\nVersion: 1.2.3\nSummary: 演練\n"


@pytest.fixture
def artifact(tmp_path: Path) -> Artifact:
    path = tmp_path / "arcrun_rehearsal-1.2.3-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("arcrun_rehearsal-1.2.3.dist-info/METADATA", METADATA)
        wheel.writestr("arcrun_rehearsal-1.2.3.dist-info/WHEEL", "Wheel-Version: 1.0\n")
    return Artifact("arcrun-rehearsal", path, sha256(path))


def test_what_is_uploaded_is_served_with_its_hash(artifact: Artifact, tmp_path: Path) -> None:
    with index.package_index(tmp_path / "store", tmp_path / "log") as url:
        index.upload_files([artifact], url, tmp_path / "home", tmp_path / "upload.log")
        page = httpx.get(f"{url}simple/arcrun-rehearsal/").text
        unknown = httpx.get(f"{url}simple/httpx/")
    assert f"#sha256={artifact.sha256}" in page
    assert unknown.status_code == 404, "nothing may fall through to the public index"
    assert (tmp_path / "store" / artifact.path.name).read_bytes() == artifact.path.read_bytes()


def test_a_version_that_exists_is_never_overwritten(artifact: Artifact, tmp_path: Path) -> None:
    with index.package_index(tmp_path / "store", tmp_path / "log") as url:
        index.upload_files([artifact], url, tmp_path / "home", tmp_path / "upload.log")
        with pytest.raises(CommandFailed):
            index.upload_files([artifact], url, tmp_path / "home", tmp_path / "upload.log")


def test_the_index_stops_with_its_context(tmp_path: Path) -> None:
    with index.package_index(tmp_path / "store", tmp_path / "log") as url:
        assert httpx.get(f"{url}simple/").status_code == 200
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}simple/")


def test_an_index_that_does_not_start_is_an_error_with_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "ROOT", tmp_path)  # where there is no package `scripts`
    with (
        pytest.raises(NotStarted, match="No module named"),
        index.package_index(tmp_path / "store", tmp_path / "log"),
    ):
        pass


def test_settings_of_the_caller_send_an_upload_nowhere_else(
    artifact: Artifact, tmp_path: Path, hostile: list[bytes]
) -> None:
    with index.package_index(tmp_path / "store", tmp_path / "log") as url:
        index.upload_files([artifact], url, tmp_path / "home", tmp_path / "upload.log")
    stored = tmp_path / "store" / artifact.path.name
    assert stored.read_bytes() == artifact.path.read_bytes()
    assert hostile == []
