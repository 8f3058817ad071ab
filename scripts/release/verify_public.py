"""Ask what is public for a release: the bytes that the registries give out, the evidence, and the attestations."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import re
import subprocess
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, urlsplit

from scripts.release.artifacts import sha256
from scripts.release.evidence_archive import NAME, ArchiveInvalid, unpack
from scripts.release.foreign import NotReadable, parsed, read_text
from scripts.release.publish.http import LARGEST, NotAsked
from scripts.release.publish.names import document_at
from scripts.release.versions import NPM_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PYPI, NPM = "https://pypi.org", "https://registry.npmjs.org"
GITHUB_API = "https://api.github.com"
SECONDS = 60.0
_VERSION = re.compile(r"-(\d+\.\d+\.\d+(?:(?:a|b|rc)\d+)?)(?:-py3-none-any\.whl|\.tar\.gz|\.tgz)$")
_ON_GITHUB = re.compile(r"github\.com[:/](?P<repository>[^/\s]+/[^/\s]+?)(?:\.git)?/?$")


class NotPublic(Exception):
    """What is public is not what was released, or is not there; the message says what."""


class Public(NamedTuple):
    """Where a release is public.

    Attributes:
        pypi: The address of PyPI.
        npm: The address of the npm registry.
        github: The address of GitHub's API.
        repository: The repository, as `OWNER/NAME`.
    """

    pypi: str
    npm: str
    github: str
    repository: str

    @property
    def api(self) -> str:
        """Return the address of the repository in GitHub's API."""
        return f"{self.github.rstrip('/')}/repos/{self.repository}"


@contextlib.contextmanager
def _as_documented(who: str) -> Iterator[None]:
    """Let an answer that lacks what it should have end with a sentence.

    Raises:
        NotAsked: It does.
    """
    try:
        yield
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        why = f"{type(error).__name__} {error}"
        raise NotAsked(f"{who} answered with JSON that it does not document: {why}") from None


def version_in(name: str) -> str:
    """Return the version in the name of a file.

    Raises:
        NotPublic: It has none.

    Example:
        >>> [version_in(name) for name in ("arcrun-1.2.3.tar.gz", "arcrun-sdk-1.2.3rc1.tgz")]
        ['1.2.3', '1.2.3rc1']
    """
    found = _VERSION.search(name)
    if not found:
        raise NotPublic(f"{name} is not the name of a wheel, an sdist or a tarball of a release")
    return found[1]


def repository_of(root: Path) -> str:
    """Return the repository on GitHub that a checkout was cloned from.

    Raises:
        NotPublic: It is not known.
    """
    command = ["git", "config", "--get", "remote.origin.url"]
    ran = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    found = _ON_GITHUB.search(ran.stdout.strip())
    if not found:
        raise NotPublic(
            "whose release it is is not known: this checkout was not cloned from GitHub; "
            "give --repository OWNER/NAME"
        )
    return found["repository"]


def download(url: str) -> bytes | None:
    """Return what is at a URL, without any credentials; None where there is nothing.

    Raises:
        NotAsked: The server could not be asked.
    """
    host = urlsplit(url).netloc
    if urlsplit(url).scheme not in {"http", "https"}:
        raise NotAsked(f"{url} is no http(s) URL")
    try:
        with urllib.request.urlopen(url, timeout=SECONDS) as answer:  # noqa: S310 - checked
            found: bytes = answer.read(LARGEST)
            return found
    except urllib.error.HTTPError as error:
        with error:
            if error.code == 404:
                return None
            raise NotAsked(f"{host} answered with status {error.code} for {url}") from None
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise NotAsked(f"{host} could not be asked: {getattr(error, 'reason', error)}") from None


def require_same_in_registry(public: Public, package: str, version: str, path: Path) -> str:
    """Check that the registry gives out exactly these bytes; return which registry it is.

    Raises:
        NotPublic: It has other bytes, or none.
        NotAsked: It could not be asked.
    """
    name = "npm" if package == NPM_NAME else "PyPI"
    url = _on_npm(public, version) if package == NPM_NAME else _on_pypi(public, package, path.name)
    given = download(url) if url else None
    if given is None:
        raise NotPublic(f"{name} has no {path.name} of {package} {version}")
    digest = hashlib.sha256(given).hexdigest()
    if digest != sha256(path):
        raise NotPublic(
            f"{name} gives out other bytes as {path.name}:\n"
            f"  their SHA-256 is  {digest}\n  that of yours is  {sha256(path)}"
        )
    return name


def _on_pypi(public: Public, package: str, file: str) -> str | None:
    base = public.pypi.rstrip("/")
    version = version_in(file)
    document = document_at(f"{base}/pypi/{quote(package)}/{quote(version)}/json", SECONDS) or {}
    with _as_documented("PyPI"):
        urls = {each["filename"]: str(each["url"]) for each in document.get("urls", ())}
        return urls.get(file)


def _on_npm(public: Public, version: str) -> str | None:
    document = document_at(f"{public.npm.rstrip('/')}/{quote(NPM_NAME, safe='@')}", SECONDS) or {}
    with _as_documented("npm"):
        found = document.get("versions", {}).get(version)
        return str(found["dist"]["tarball"]) if found else None


def evidence_of(public: Public, version: str, folder: Path) -> Path:
    """Download the evidence of a release, with all its parts; return the path of `release.json`.

    Raises:
        NotPublic: The release has none, or what it has is no evidence.
        NotAsked: GitHub could not be asked.
    """
    tag = f"v{version}"
    document = document_at(f"{public.api}/releases/tags/{quote(tag)}", SECONDS)
    if document is None:
        raise NotPublic(
            f"{public.repository} has no release {tag}: nobody says that it was released"
        )
    with _as_documented("GitHub"):
        urls = {each["name"]: str(each["browser_download_url"]) for each in document["assets"]}
    content = download(urls[NAME]) if NAME in urls else None
    if content is None:
        raise NotPublic(f"the release {tag} of {public.repository} has no {NAME}")
    try:
        return unpack(content, folder)
    except ArchiveInvalid as problem:
        raise NotPublic(str(problem)) from None


def attestations_of(public: Public, digest: str) -> list[dict[str, Any]]:
    """Return the Sigstore bundles that GitHub has for the SHA-256 of a file.

    Raises:
        NotAsked: GitHub could not be asked.
    """
    document = document_at(f"{public.api}/attestations/sha256:{digest}", SECONDS) or {}
    with _as_documented("GitHub"):
        found = [each.get("bundle") for each in document.get("attestations", ())]
        return [dict(each) for each in found if each]


def provenance_of(public: Public, package: str, version: str, file: str) -> dict[str, Any]:
    """Return what PyPI gives out as the provenance of a file; nothing where it has none.

    Raises:
        NotAsked: PyPI could not be asked.
    """
    base = f"{public.pypi.rstrip('/')}/integrity/{quote(package)}/{quote(version)}"
    return document_at(f"{base}/{quote(file)}/provenance", SECONDS) or {}


def bundles_in(path: Path) -> list[dict[str, Any]]:
    """Return the Sigstore bundles in a file: one, or as `gh attestation download` writes them, one a line.

    Raises:
        NotReadable: It can't be read, or is not JSON.
        NotPublic: It has none.
    """
    text = read_text(path)
    try:
        found = [parsed(text, str(path))]
    except NotReadable:
        lines = enumerate(text.splitlines(), 1)
        found = [parsed(line, f"{path}, line {number},") for number, line in lines if line.strip()]
    bundles = [each for each in found if isinstance(each, dict)]
    if not bundles:
        raise NotPublic(
            f"{path} has no attestation: name a file that gh attestation download has written"
        )
    return bundles
