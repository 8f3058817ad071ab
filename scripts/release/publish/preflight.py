"""Check, before anything is sent, that the files are those of a GO of this very tree, and that the tree is released."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from scripts.release import git
from scripts.release.publish.http import NotAsked
from scripts.release.publish.names import NameTaken, check_names
from scripts.release.publish.publication import NotDone, Outcome
from scripts.release.versions import NPM_FOLDER, NPM_NAME, PACKAGES, our_urls

if TYPE_CHECKING:
    from scripts.release.publish.publication import Publication
    from scripts.release.publish.state import Record

LIVE = "nox -s conformance -- --packages dist/ --target live --gate --report-dir reports/live"


def names(publication: Publication, record: Record) -> Outcome:
    """Find out who owns the names."""
    del record
    found = ask_names(publication.registries.pypi, publication.registries.npm)
    return Outcome(", ".join(f"{name} {state}" for name, state in found.items()))


def ask_names(pypi_url: str, npm_url: str) -> dict[str, str]:
    """Return for each name whether it is `ours` or `free`.

    Raises:
        NotDone: One belongs to another project, or it could not be asked.
    """
    manifests = {name: f"{folder}/pyproject.toml" for name, folder in PACKAGES.items()}
    manifests[NPM_NAME] = f"{NPM_FOLDER}/package.json"
    try:
        return check_names(
            PACKAGES,
            NPM_NAME,
            our_urls(),
            pypi_url=pypi_url,
            npm_url=npm_url,
            manifests=manifests,
        )
    except (NameTaken, NotAsked) as problem:
        raise NotDone(str(problem)) from None


def evidence(publication: Publication, record: Record) -> Outcome:
    """Check that the commit of the evidence is checked out, clean, tagged with the version, and on main.

    That the evidence says GO, and that the files are those that it lists, was checked when they were read.
    """
    del record
    state, commit = git.git_state(publication.root), publication.evidence["git"]["commit"]
    tag = f"v{publication.version}"
    if state["commit"] != commit:
        raise NotDone(
            f"the evidence is about the commit {commit[:12]}, and {state['commit'][:12]} is checked "
            f"out: check out {tag}, or rehearse this commit"
        )
    if state["dirty"]:
        raise NotDone(
            f"the working tree is not the commit: {', '.join(state['changed'][:5])}; "
            "undo or commit these changes"
        )
    if publication.registries.name == "local":
        return Outcome(f"GO at {commit[:12]}; no tag is needed on loopback")
    tagged = git.resolve(publication.root, f"refs/tags/{tag}")
    if tagged != commit:
        where = f"is at {tagged[:12]}" if tagged else "does not exist"
        raise NotDone(
            f"the tag {tag} {where}, and the evidence is about {commit[:12]}: tag that commit"
        )
    if not git.is_annotated(publication.root, tag):
        raise NotDone(
            f"the tag {tag} is not annotated, and does not say who has released: replace it by one of "
            f"git tag --annotate {tag}"
        )
    if not git.is_on_main(publication.root, commit):
        raise NotDone(
            f"{tag} is not on main: only what is there is published. Merge it, and tag the commit there"
        )
    return Outcome(f"GO of {tag} at {commit[:12]}")


def live(publication: Publication, record: Record) -> Outcome:
    """Check the report of the suite on these very files with the hosted engine; locally, that of the rehearsal."""
    del record
    path, public = publication.live_report, publication.registries.name == "public"
    try:
        report = json.loads(path.read_text("utf-8"))
        tested = {each["file"]: each["sha256"] for each in report["artifacts"]}
        verdict, target = report["gate"]["verdict"], report["target"]["name"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise NotDone(
            f"{path} is no report of a gate ({type(error).__name__}); make it: {LIVE}"
        ) from None
    if verdict != "GO":
        raise NotDone(
            f"{path} says {verdict}: what is wrong there is repaired, and rehearsed again"
        )
    if public and target != "live":
        raise NotDone(f"{path} is about the target {target}, not about the hosted engine: {LIVE}")
    others = sorted(
        name for name, digest in publication.files.items() if tested.get(name) != digest
    )
    if others:
        raise NotDone(f"{path} is not about these bytes of {', '.join(others)}: {LIVE}")
    return Outcome(f"GO with the target {target}")
