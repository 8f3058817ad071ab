"""Find out who owns the names under which the packages would be published.

A name is ours if nobody has it, or if what the registry has under it names one of our own URLs
(`[project.urls]` of packages/python-sdk/pyproject.toml). Whatever else stands there belongs to another project,
and nothing is uploaded.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, urlsplit

from scripts.release.publish.http import NotAsked, ask

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

# All names are asked for at once, and this is how long that may take.
SECONDS = 8.0
SHOWN_URLS = ("repository", "source", "homepage")


class NameTaken(Exception):
    """A name belongs to another project; the message says whose it is, and what can be done."""


class Holder(NamedTuple):
    """What a registry has under a name.

    Attributes:
        name: The name.
        version: The newest version.
        urls: The URLs that it names, the one that tells most first.
    """

    name: str
    version: str
    urls: tuple[str, ...]


def pypi_holder(name: str, document: dict[str, Any]) -> Holder:
    """Return what PyPI's JSON says of a name."""
    info = document.get("info") or {}
    urls = {str(k).lower(): str(v) for k, v in (info.get("project_urls") or {}).items()}
    if info.get("home_page"):
        urls.setdefault("homepage", str(info["home_page"]))
    return Holder(name, str(info.get("version", "no version")), _in_order(urls))


def npm_holder(name: str, document: dict[str, Any]) -> Holder:
    """Return what the npm registry's JSON says of a name."""
    repository = document.get("repository") or {}
    address = repository.get("url", "") if isinstance(repository, dict) else repository
    found = {"repository": str(address), "homepage": str(document.get("homepage") or "")}
    version = (document.get("dist-tags") or {}).get("latest", "no version")
    return Holder(name, str(version), _in_order({k: v for k, v in found.items() if v}))


def _in_order(urls: dict[str, str]) -> tuple[str, ...]:
    first = [urls[name] for name in SHOWN_URLS if name in urls]
    return tuple(dict.fromkeys([*first, *urls.values()]))


def plain(url: str) -> str:
    """Return host and path of a URL, as it can be compared and read.

    Example:
        >>> plain("git+https://www.GitHub.com/a/B.git")
        'github.com/a/B'
    """
    parts = urlsplit(url.removeprefix("git+"))
    host = (parts.hostname or "").removeprefix("www.")
    return f"{host}{parts.path.rstrip('/').removesuffix('.git')}"


def is_ours(holder: Holder, our_urls: Iterable[str]) -> bool:
    """Tell whether what a registry has under a name is of this project."""
    return bool({plain(url) for url in holder.urls} & {plain(url) for url in our_urls})


def taken(registry: str, holder: Holder) -> str:
    """Return the sentence that says whose a name is."""
    whose = plain(holder.urls[0]) if holder.urls else "it names no URL"
    return f"{registry}'s {holder.name} ({holder.version}, {whose}) belongs to another project"


def remedies(registry: str, name: str, manifest: str) -> str:
    """Return what can be done where a name belongs to another project."""
    other = f"{name}-sdk" if registry == "PyPI" else "another scope"
    follow = (
        "python -m scripts.release.distribution_name" if registry == "PyPI" else "nox -s js_lint"
    )
    return (
        f"nothing was uploaded. Either publish under another name: set `name` in {manifest} "
        f"(such as {other}) and run {follow}; or have its owner transfer it, and release again"
    )


def check_names(
    pypi: Collection[str],
    npm: str,
    our_urls: Collection[str],
    *,
    pypi_url: str,
    npm_url: str,
    manifests: dict[str, str],
    seconds: float = SECONDS,
) -> dict[str, str]:
    """Ask both registries for all names at once; return for each whether it is `ours` or `free`.

    Args:
        pypi: The names on PyPI.
        npm: The name on npm.
        our_urls: The URLs by which a registry knows this project.
        pypi_url: The address of PyPI.
        npm_url: The address of the npm registry.
        manifests: The file that states each name.
        seconds: How long all of it may take.

    Raises:
        NameTaken: Some belong to others; the message has a sentence for each.
        NotAsked: A registry could not be asked, so that nobody knows.
    """
    asked: dict[str, tuple[str, str, Callable[[str, dict[str, Any]], Holder]]] = {
        name: ("PyPI", f"{pypi_url.rstrip('/')}/pypi/{quote(name)}/json", pypi_holder)
        for name in pypi
    }
    asked[npm] = ("npm", f"{npm_url.rstrip('/')}/{quote(npm, safe='@')}", npm_holder)
    answers, unknown = _all_at_once({name: url for name, (_, url, _) in asked.items()}, seconds)
    found, others = {}, []
    for name, document in answers.items():
        registry, _, read = asked[name]
        holder = None if document is None else read(name, document)
        if holder is None or is_ours(holder, our_urls):
            found[name] = "free" if holder is None else "ours"
        else:
            others.append(f"{taken(registry, holder)}\n{remedies(registry, name, manifests[name])}")
    if others:
        raise NameTaken("\n".join(others))
    for name, why in unknown.items():
        raise NotAsked(
            f"it could not be asked who owns {name}, so nothing is published: {why}. "
            "Check the network, and release again"
        )
    return found


def _all_at_once(
    urls: dict[str, str], seconds: float
) -> tuple[dict[str, dict[str, Any] | None], dict[str, str]]:
    """Ask for every URL in a thread of its own.

    Return the documents by name, None where there is nothing, and why the other names could not be asked for.
    """
    answers: dict[str, dict[str, Any] | None] = {}
    problems: dict[str, str] = {}

    def one(name: str, url: str) -> None:
        try:
            answers[name] = document_at(url, seconds)
        except NotAsked as problem:
            problems[name] = str(problem)

    # A name server that does not answer holds a thread for longer than any time-out: none is waited for.
    threads = [threading.Thread(target=one, args=each, daemon=True) for each in urls.items()]
    for thread in threads:
        thread.start()
    end = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    late = f"gave no answer in {seconds:g} s"
    unknown = {
        name: problems.get(name, f"{urlsplit(url).netloc} {late}")
        for name, url in urls.items()
        if name not in answers
    }
    return {name: answers[name] for name in urls if name in answers}, unknown


def document_at(url: str, seconds: float = SECONDS) -> dict[str, Any] | None:
    """Return the JSON object at a URL, None where the registry says that there is nothing.

    Raises:
        NotAsked: The registry says neither.
    """
    answer = ask(url, seconds=seconds)
    if answer.status == 404:
        return None
    document = answer.json() if answer.status == 200 else None
    if not isinstance(document, dict):
        raise NotAsked(f"{urlsplit(url).netloc} answered with status {answer.status}")
    return document
