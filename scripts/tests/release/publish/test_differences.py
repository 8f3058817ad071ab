from pathlib import Path

from scripts.release.publish import tiny
from scripts.release.publish.differences import contents, differences


def test_wheels_of_two_versions_are_compared_file_by_file(tmp_path: Path) -> None:
    old = tiny.wheel(tmp_path, "arcrun", "1.0.0", text="a = 1\nb = 1\n")
    new = tiny.wheel(tmp_path, "arcrun", "2.0.0", text="a = 1\nb = 2\n")
    told = differences(*(contents(path.name, path.read_bytes()) for path in (old, new)))
    changed = [line for line in told if not line.startswith("    ")]
    assert changed == ["~ *.dist-info/METADATA", "~ *.dist-info/RECORD", "~ arcrun/__init__.py"]
    assert [line.strip() for line in told if "b = " in line] == ["-b = 1", "+b = 2"]


def test_files_that_came_and_went_are_named() -> None:
    assert differences({"a.js": b"", "b.js": b""}, {"b.js": b"", "c.js": b"x\n"}) == [
        "- a.js",
        "+ c.js",
        "    @@ -0,0 +1 @@",
        "    +x",
    ]


def test_tarballs_are_compared_without_the_folder_of_their_version(tmp_path: Path) -> None:
    sdist, tarball = tiny.sdist(tmp_path, "arcrun"), tiny.npm_tarball(tmp_path)
    assert set(contents(sdist.name, sdist.read_bytes())) == {"PKG-INFO", "src/arcrun.py"}
    assert set(contents(tarball.name, tarball.read_bytes())) == {"package.json", "index.js"}
