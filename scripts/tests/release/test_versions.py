import json
import re
from pathlib import Path

import pytest

from scripts.release.versions import (
    NPM_FOLDER,
    PACKAGES,
    ROOT,
    SDK,
    SERVER_JSON,
    VersionMismatch,
    agreed_version,
    version_file,
)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for package in PACKAGES:
        path = version_file(tmp_path, package)
        path.parent.mkdir(parents=True)
        path.write_text('__version__ = "1.2.3"\n')
    (tmp_path / NPM_FOLDER / "src").mkdir(parents=True)
    (tmp_path / NPM_FOLDER / "package.json").write_text('{"version": "1.2.3"}')
    (tmp_path / NPM_FOLDER / "src/version.ts").write_text('export const version = "1.2.3";\n')
    packages = [{"identifier": "arcrun", "version": "1.2.3"}]
    entry = {"version": "1.2.3", "packages": packages}
    (tmp_path / SERVER_JSON).write_text(json.dumps(entry))
    (tmp_path / "CHANGELOG.md").write_text("# Changelog\n\n## [1.2.3] - 2026-11-22\n\n- 新增\n")
    return tmp_path


def test_this_checkout_states_one_version() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", agreed_version(ROOT))


def test_versions_that_agree_are_the_version(tree: Path) -> None:
    assert agreed_version(tree) == "1.2.3"


def test_a_package_that_differs_is_named_with_what_it_states(tree: Path) -> None:
    version_file(tree, "arcrun-server").write_text('__version__ = "1.2.4"\n')
    with pytest.raises(VersionMismatch, match=r"1\.2\.4 +packages/server/src/arcrun_server"):
        agreed_version(tree)


def test_a_package_that_the_mcp_registry_is_told_in_another_version_is_named(tree: Path) -> None:
    path = tree / SERVER_JSON
    path.write_text(path.read_text().replace("1.2.3", "1.2.2", 2).replace("1.2.2", "1.2.3", 1))
    with pytest.raises(
        VersionMismatch, match=r"1\.2\.2 +packages/python-sdk/server\.json \(arcrun\)"
    ):
        agreed_version(tree)


def test_a_changelog_without_the_version_is_named(tree: Path) -> None:
    (tree / "CHANGELOG.md").write_text("## [1.2.2] - 2026-01-01\n\n- 舊\n")
    with pytest.raises(VersionMismatch, match=r"1\.2\.2 +CHANGELOG\.md"):
        agreed_version(tree)


@pytest.mark.parametrize(
    ("changelog", "expected"),
    [
        ("# Changelog\n\n## [Unreleased]\n\n- 未發佈\n", "has no entry"),
        ("## [1.2.3] - 2026-11-22\n\n## [1.2.2] - 2026-01-01\n\n- 舊\n", "1.2.3 is empty"),
        ("## [1.2.3] - 2026-11-22\n\n### Added\n", "1.2.3 is empty"),
        ("## [1.2.3] - 2026-13-45\n\n- 新增\n", r"CHANGELOG\.md:1: there is no day"),
        ("```\n## [1.2.3] - 2026-11-22\n\n- 新增\n```\n", "has no entry"),
    ],
)
def test_a_changelog_entry_needs_a_date_and_a_text(
    tree: Path, changelog: str, expected: str
) -> None:
    (tree / "CHANGELOG.md").write_text(changelog)
    with pytest.raises(VersionMismatch, match=expected):
        agreed_version(tree)


def test_a_version_file_without_a_version_is_named(tree: Path) -> None:
    version_file(tree, SDK).write_text("version = 1\n")
    with pytest.raises(VersionMismatch, match=r"python-sdk/src/arcrun/_version\.py has no line"):
        agreed_version(tree)


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        ("package.json", '{"version": "1.2.4"}', r"1\.2\.4 +packages/js-sdk/package\.json"),
        ("package.json", "{", r"package\.json is not valid JSON"),
        ("package.json", "[]", r"package\.json is no JSON object"),
        ("package.json", "{}", r"none +packages/js-sdk/package\.json"),
        ("src/version.ts", 'export const version = "1.3.0";\n', r"1\.3\.0 +packages/js-sdk/src"),
        ("src/version.ts", "export const 版 = 1;\n", r"version\.ts has no line"),
    ],
)
def test_an_npm_package_that_differs_is_named(
    tree: Path, file: str, text: str, expected: str
) -> None:
    (tree / NPM_FOLDER / file).write_text(text)
    with pytest.raises(VersionMismatch, match=expected):
        agreed_version(tree)


PACKAGE_JSON, VERSION_TS = f"{NPM_FOLDER}/package.json", f"{NPM_FOLDER}/src/version.ts"
VERSION_PY = "packages/python-sdk/src/arcrun/_version.py"


@pytest.mark.parametrize("file", [PACKAGE_JSON, VERSION_TS, VERSION_PY, SERVER_JSON])
@pytest.mark.parametrize("content", [None, b"\xff"])
def test_a_file_that_can_not_be_read_is_named_with_what_it_must_say(
    tree: Path, file: str, content: bytes | None
) -> None:
    (tree / file).unlink()
    if content is not None:
        (tree / file).write_bytes(content)
    why = "can't be read: No such file" if content is None else "is not UTF-8: see its byte 0"
    with pytest.raises(VersionMismatch, match=f"^{file} {why}.*: it must "):
        agreed_version(tree)


@pytest.mark.parametrize("file", [PACKAGE_JSON, SERVER_JSON])
@pytest.mark.parametrize("version", ["null", "[]", "{}", "1", "true"])
def test_a_version_that_is_no_text_is_named(tree: Path, file: str, version: str) -> None:
    text = (tree / file).read_text().replace('"1.2.3"', version, 1)
    (tree / file).write_text(text)
    with pytest.raises(VersionMismatch, match=f"^{file}: .*`version` must be a text"):
        agreed_version(tree)


@pytest.mark.parametrize(
    "packages",
    ["null", '"a"', "[1]", "[{}]", "{}", '[{"identifier": 1}]', '[{"identifier": "a", "version": 1}]'],
)  # fmt: skip
def test_packages_of_the_mcp_registry_in_another_form_are_named(tree: Path, packages: str) -> None:
    (tree / SERVER_JSON).write_text(f'{{"version": "1.2.3", "packages": {packages}}}')
    with pytest.raises(
        VersionMismatch, match=f"^{SERVER_JSON}.*: .*run: python -m scripts.release"
    ):
        agreed_version(tree)


def test_a_version_has_digits_of_ascii(tree: Path) -> None:
    (tree / VERSION_PY).write_text('__version__ = "1.2.٣"\n', "utf-8")
    with pytest.raises(VersionMismatch, match="has no line"):
        agreed_version(tree)


def test_no_version_steers_a_terminal_or_a_ci_system(tree: Path) -> None:
    (tree / PACKAGE_JSON).write_text(r'{"version": "\u001b[31m\n::error::x"}')
    with pytest.raises(VersionMismatch, match=r"\\x1b\[31m\\n\\::error::x") as caught:
        agreed_version(tree)
    assert "\x1b" not in str(caught.value)
