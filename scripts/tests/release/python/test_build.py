import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from scripts.release.artifacts import (
    Artifact,
    NotReproducible,
    compare_builds,
    sha256,
    source_files,
)
from scripts.release.python.build import build_all, built_before, fingerprint, remember
from scripts.release.versions import PACKAGES, SDK, module_of

BACKEND = """
[build-system]
requires = ["hatchling==1.33.0"]
build-backend = "hatchling.build"
[project]
name = "{name}"
version = "1.2.3"
[tool.hatch.build.targets.wheel]
packages = ["src/{module}"]
"""


def git(root: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=測試", "-c", "user.email=test@example.invalid"]
    subprocess.run(["git", *identity, *arguments], cwd=root, check=True, capture_output=True)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout of two small packages, with an ignored and an untracked file."""
    root = tmp_path / "checkout"
    for package, folder in PACKAGES.items():
        module = root / folder / "src" / module_of(package)
        module.mkdir(parents=True)
        (module / "__init__.py").write_text('"""包"""\n')
        (root / folder / "pyproject.toml").write_text(
            BACKEND.format(name=package, module=module.name)
        )
    (root / ".gitignore").write_text("*.pyc\n")
    git(root, "init", "-q")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "all")
    return root


def test_sources_are_what_git_tracks_or_would(checkout: Path) -> None:
    folder = checkout / "packages/python-sdk/src/arcrun"
    (folder / "ignored.pyc").write_text("")
    (folder / "未追蹤.txt").write_text("")
    found = {path.name for path in source_files(checkout, "packages/python-sdk")}
    assert found == {"__init__.py", "pyproject.toml", "未追蹤.txt"}


def test_every_package_is_built_twice_and_identical(checkout: Path, tmp_path: Path) -> None:
    dist = tmp_path / "dist"
    dist.mkdir()
    (dist / "left-over.whl").write_text("")
    built = build_all(checkout, tmp_path / "work", dist, tmp_path / "logs" / "build.log")
    assert {each.path.name for each in built} == {path.name for path in dist.iterdir()}
    assert [each.package for each in built if each.is_wheel] == list(PACKAGES)
    assert len(built) == 2 * len(PACKAGES)
    assert all(each.sha256 == sha256(each.path) for each in built)


def test_a_build_that_depends_on_where_it_runs_is_refused(checkout: Path, tmp_path: Path) -> None:
    hook = (
        "from hatchling.builders.hooks.plugin.interface import BuildHookInterface\n"
        "from pathlib import Path\n"
        "class Hook(BuildHookInterface):\n"
        "    def initialize(self, version, build_data):\n"
        "        Path(self.root, 'src/arcrun/where.py').write_text(repr(self.root))\n"
    )
    folder = checkout / "packages/python-sdk"
    (folder / "hatch_build.py").write_text(hook)
    with (folder / "pyproject.toml").open("a") as file:
        file.write("[tool.hatch.build.hooks.custom]\n")
    with pytest.raises(NotReproducible) as caught:
        build_all(checkout, tmp_path / "work", tmp_path / "dist", tmp_path / "logs" / "build.log")
    assert not list((tmp_path / "dist").glob("*.whl"))
    shutil.rmtree(tmp_path / "work")
    said, _, *copies = str(caught.value).splitlines()
    assert re.fullmatch(
        rf"{SDK.replace('-', '_')}-1\.2\.3.* differs between two builds .*: .*where\.py.* in it",
        said,
    )
    hashes, paths = zip(*(line.split() for line in copies), strict=True)
    assert tuple(sha256(Path(path)) for path in paths) == hashes
    assert [Path(path).parent.name for path in paths] == ["first-build", "second-build"]


def test_where_only_times_differ_the_message_says_so(tmp_path: Path) -> None:
    for folder, year in (("a", 2020), ("b", 2021)):
        (tmp_path / folder).mkdir()
        with zipfile.ZipFile(tmp_path / folder / "x.whl", "w") as wheel:
            wheel.writestr(zipfile.ZipInfo("x.py", (year, 1, 1, 0, 0, 0)), "")
    with pytest.raises(NotReproducible, match="the files in it are the same, but their order"):
        compare_builds(tmp_path / "a", tmp_path / "b", tmp_path / "kept")


def test_two_folders_with_other_files_are_not_the_same(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "a" / "x.whl").write_text("")
    with pytest.raises(NotReproducible, match="different files"):
        compare_builds(tmp_path / "a", tmp_path / "b", tmp_path / "kept")


@pytest.fixture
def built(tmp_path: Path) -> tuple[Path, list[Artifact]]:
    """The record of a build, and its artifacts."""
    path = tmp_path / "dist" / "arcrun-1.2.3.tar.gz"
    path.parent.mkdir()
    path.write_text("位元組")
    built = [Artifact("arcrun", path, sha256(path))]
    remember(tmp_path / "record" / "build.json", "sources", built)
    return tmp_path / "record" / "build.json", built


def test_a_build_of_the_same_sources_is_reused(built: tuple[Path, list[Artifact]]) -> None:
    record, found = built
    assert built_before(record, "sources", found[0].path.parent) == found


def test_a_build_of_other_sources_is_not_reused(built: tuple[Path, list[Artifact]]) -> None:
    record, found = built
    assert built_before(record, "other sources", found[0].path.parent) == []


@pytest.mark.parametrize("change", ["gone", "other bytes", "another file beside it"])
def test_a_build_that_is_not_complete_any_more_is_not_reused(
    built: tuple[Path, list[Artifact]], change: str
) -> None:
    record, (artifact,) = built
    if change == "gone":
        artifact.path.unlink()
    elif change == "other bytes":
        artifact.path.write_text("別的")
    else:
        artifact.path.with_name("another.whl").write_text("")
    assert built_before(record, "sources", artifact.path.parent) == []


def test_without_an_earlier_build_nothing_is_reused(tmp_path: Path) -> None:
    assert built_before(tmp_path / "build.json", "sources", tmp_path) == []


def test_a_changed_source_changes_the_fingerprint(checkout: Path) -> None:
    before = fingerprint(checkout)
    assert fingerprint(checkout) == before
    (checkout / "packages/server/src/arcrun_server/__init__.py").write_text('"""改了"""\n')
    assert fingerprint(checkout) != before
