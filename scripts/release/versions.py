"""Check that everything that is released has one version, and a changelog entry for it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from scripts import ROOT
from scripts.release import changelog
from scripts.release.foreign import NotReadable, in_a_line, read_json, read_text

if TYPE_CHECKING:
    from pathlib import Path

_NAME = re.compile(r'^\[project\]\nname = "([^"]+)"$', re.MULTILINE)
_URL = re.compile(r'^\w+ = "(https://[^"]+)"$', re.MULTILINE)

# The folder of each distribution on PyPI, and the module in it.
SDK_FOLDER, SERVER_FOLDER, SUITE_FOLDER = "packages/python-sdk", "packages/server", "conformance"
MODULES = {
    SDK_FOLDER: "arcrun",
    SERVER_FOLDER: "arcrun_server",
    SUITE_FOLDER: "arcrun_conformance",
}


def distribution_name(folder: str, root: Path = ROOT) -> str:
    """Read the name of the distribution in a folder, from the only place that states it."""
    path = root / folder / "pyproject.toml"
    match = _NAME.search(path.read_text("utf-8"))
    if not match:
        raise ValueError(f'{path} does not begin its [project] with a line `name = "…"`')
    return match[1]


# The name of each distribution: that of the SDK is not always that of its module.
SDK, SERVER, SUITE = (distribution_name(folder) for folder in MODULES)
PACKAGES = {SDK: SDK_FOLDER, SERVER: SERVER_FOLDER, SUITE: SUITE_FOLDER}

# The package on npm, and its folder.
NPM_NAME = "@arcrun/sdk"
NPM_FOLDER = "packages/js-sdk"

# The entry of the SDK's program `arcrun-mcp` in the MCP registry.
SERVER_JSON = f"{SDK_FOLDER}/server.json"

_VERSION = re.compile(
    r'^__version__ = "(\d+\.\d+\.\d+(?:(?:a|b|rc)\d+)?)"$', re.MULTILINE | re.ASCII
)
_NPM_VERSION = re.compile(r'^export const version = "([^"]+)";$', re.MULTILINE)


# What to do where a JSON file does not state the version.
_STATE_IT = 'it must have the version as "version": "X.Y.Z"'
_WRITE_IT = "it must be the one that is written, run: python -m scripts.release.mcp_registry"


class VersionMismatch(Exception):
    """The files that state the version differ; the message lists what each states."""


def version_file(root: Path, package: str) -> Path:
    """Return the path of the file that states the version of a package."""
    return root / PACKAGES[package] / "src" / module_of(package) / "_version.py"


def module_of(package: str) -> str:
    """Return the module that a distribution holds, as it is imported."""
    return MODULES[PACKAGES[package]]


def our_urls(root: Path = ROOT) -> tuple[str, ...]:
    """Return the URLs by which an index knows this project: those of the SDK's metadata."""
    text = (root / SDK_FOLDER / "pyproject.toml").read_text("utf-8")
    _, _, urls = text.partition("\n[project.urls]\n")
    return tuple(_URL.findall(urls.partition("\n[")[0]))


def package_version(root: Path, package: str) -> str:
    """Read the version of a package."""
    file = version_file(root, package).relative_to(root).as_posix()
    return _in_line(root, file, _VERSION, '__version__ = "X.Y.Z"')


def npm_versions(root: Path) -> dict[str, str]:
    """Read the version of the npm package from the two files that state it."""
    manifest, source = f"{NPM_FOLDER}/package.json", f"{NPM_FOLDER}/src/version.ts"
    return {
        manifest: _version_in(_stated(root, manifest, _STATE_IT), manifest, _STATE_IT),
        source: _in_line(root, source, _NPM_VERSION, 'export const version = "X.Y.Z";'),
    }


def mcp_registry_versions(root: Path) -> dict[str, str]:
    """Read the versions of the server and of its packages in the entry for the MCP registry."""
    entry = _stated(root, SERVER_JSON, _WRITE_IT)
    stated = {SERVER_JSON: _version_in(entry, SERVER_JSON, _WRITE_IT)}
    packages = entry.get("packages", [])
    if not isinstance(packages, list) or not all(_is_package(each) for each in packages):
        raise VersionMismatch(
            f"{SERVER_JSON}: its `packages` are no list of objects with an `identifier`: {_WRITE_IT}"
        )
    for package in packages:
        where = f"{SERVER_JSON} ({package['identifier']})"
        stated[where] = _version_in(package, where, _WRITE_IT)
    return stated


def _is_package(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("identifier"), str)


def _in_line(root: Path, file: str, pattern: re.Pattern[str], line: str) -> str:
    """Return the version in the line of a file that states it."""
    try:
        match = pattern.search(read_text(root / file))
    except NotReadable as problem:
        why = str(problem).removeprefix(f"{root / file} ")
        raise VersionMismatch(f"{file} {why}: it must have a line `{line}`") from None
    if not match:
        raise VersionMismatch(f"{file} has no line `{line}`")
    return match[1]


def _stated(root: Path, file: str, remedy: str) -> dict[str, Any]:
    """Return the object in a JSON file."""
    try:
        document = read_json(root / file)
    except NotReadable as problem:
        why = str(problem).removeprefix(f"{root / file} ")
        raise VersionMismatch(f"{file} {why}: {remedy}") from None
    if not isinstance(document, dict):
        raise VersionMismatch(f"{file} is no JSON object: {remedy}")
    return document


def _version_in(document: dict[str, Any], where: str, remedy: str) -> str:
    version = document.get("version", "none")
    if not isinstance(version, str):
        raise VersionMismatch(in_a_line(f"{where}: its `version` must be a text: {remedy}"))
    return version


def changelog_version(root: Path) -> str:
    """Read the version of the newest entry of CHANGELOG.md that has a date and a text.

    Raises:
        VersionMismatch: The changelog is invalid, has no such entry, or its entry says nothing.
    """
    try:
        dated = [each for each in changelog.entries(root) if each.date]
    except changelog.ChangelogInvalid as problem:
        raise VersionMismatch(str(problem)) from None
    if not dated:
        raise VersionMismatch(f"{changelog.FILE} has no entry `## [X.Y.Z] - YYYY-MM-DD`")
    if not dated[0].says_something:
        raise VersionMismatch(f"{changelog.FILE}: the entry for {dated[0].name} is empty")
    return dated[0].name


def agreed_version(root: Path = ROOT) -> str:
    """Return the version that all packages and the changelog state.

    Raises:
        VersionMismatch: They do not agree; the message lists what each states.
    """
    stated = {
        version_file(root, package).relative_to(root).as_posix(): package_version(root, package)
        for package in PACKAGES
    }
    stated |= npm_versions(root)
    stated |= mcp_registry_versions(root)
    stated["CHANGELOG.md (newest dated entry)"] = changelog_version(root)
    if len(set(stated.values())) == 1:
        return next(iter(stated.values()))
    lines = "\n".join(in_a_line(f"  {version:<10} {where}") for where, version in stated.items())
    raise VersionMismatch(f"the versions differ; they must be equal:\n{lines}")
