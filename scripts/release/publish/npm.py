"""Stage the tarball on npm, look at the stage, make it public with a second factor, and prove what is there."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from scripts import processes
from scripts.rehearsal import describe
from scripts.release.artifacts import sha256
from scripts.release.environment import neutral
from scripts.release.npm import tools
from scripts.release.publish.http import NotAsked, ask
from scripts.release.publish.names import document_at
from scripts.release.publish.preflight import ask_names
from scripts.release.publish.publication import (
    Impossible,
    NotDone,
    Outcome,
    StageLost,
    Waiting,
    integrity,
)
from scripts.release.versions import NPM_NAME

if TYPE_CHECKING:
    from scripts.release.publish.publication import Publication
    from scripts.release.publish.state import Record


def published(publication: Publication) -> dict[str, Any] | None:
    """Return what npm says of this version; None where it is not public.

    Raises:
        Impossible: Other bytes are public under this version.
    """
    base = publication.registries.npm.rstrip("/")
    document = document_at(f"{base}/{quote(NPM_NAME, safe='@')}")
    found = ((document or {}).get("versions") or {}).get(publication.version)
    if found is None:
        return None
    ours = integrity(publication.tarball.path.read_bytes())
    if found["dist"]["integrity"] != ours:
        raise Impossible(
            f"npm has other bytes under {NPM_NAME} {publication.version}: deprecate it there, and "
            "release a new version"
        )
    return {**found, "alone": len((document or {})["versions"]) == 1}


def stage(publication: Publication, record: Record) -> Outcome:
    """Stage the tarball, unless npm has it already, as a stage or in public."""
    if published(publication):
        return Outcome(f"{NPM_NAME} {publication.version} is already public, with these bytes")
    found = _staged_before(publication, record)
    if found:
        return Outcome(f"npm has the stage {found} already", npm_stage=found)
    ask_names(publication.registries.pypi, publication.registries.npm)
    if not publication.may_send:
        raise Waiting(
            "the workflow Release stages the tarball: push the tag, approve its job npm, and resume"
        )
    told = _send(publication)
    found = _stage_id(told) or _staged_before(publication, record)
    if not found:
        raise NotDone(f"npm did not take the stage; resume when it does.\n{told}")
    return Outcome(f"staged as {found}", npm_stage=found)


def _staged_before(publication: Publication, record: Record) -> str | None:
    """Return the id of the stage that has our bytes; None where there is none, or where nobody may ask.

    A token of trusted publishing may not: then a stage is made twice at worst, and the approver removes one.

    Raises:
        NotDone: There is a stage of this version with other bytes.
    """
    ours = hashlib.sha1(publication.tarball.path.read_bytes(), usedforsecurity=False).hexdigest()
    items = _stages(publication)
    if items is None:
        return record.npm_stage
    same_version = [each for each in items if each.get("version") == publication.version]
    for each in same_version:
        if each["shasum"] != ours:
            raise NotDone(
                f"npm has a stage of {NPM_NAME} {publication.version} with other bytes: look at it "
                f"(npm stage view {each['id']}), and remove it (npm stage reject {each['id']})"
            )
    return next((str(each["id"]) for each in same_version if is_pending(each)), None)


def _stages(publication: Publication) -> list[dict[str, Any]] | None:
    url = f"{_stages_url(publication)}?page=0&perPage=100&package={quote(NPM_NAME, safe='')}"
    answer = ask(url, headers=publication.credentials.for_npm)
    if answer.status in {401, 403}:
        return None
    if answer.status != 200:
        raise NotAsked(f"npm answered with status {answer.status} for the list of stages")
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def _stages_url(publication: Publication) -> str:
    return f"{publication.registries.npm.rstrip('/')}/-/stage"


def is_pending(staged: dict[str, Any]) -> bool:
    """Tell whether a stage can still be approved."""
    return staged.get("status", "pending") not in {"expired", "rejected"}


def _send(publication: Publication) -> str:
    """Run `npm stage publish`; return what it printed, and where it failed, what was wrong."""
    folder = publication.work / "npm"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    tarball = folder / publication.tarball.path.name
    shutil.copyfile(publication.tarball.path, tarball)
    if sha256(tarball) != publication.tarball.sha256:
        raise NotDone(f"{publication.tarball.path} has changed since it was rehearsed")
    registry = f"{publication.registries.npm.rstrip('/')}/"
    scope, provenance = NPM_NAME.split("/")[0], publication.registries.name == "public"
    # npm replaces the variable itself: the token is in no file.
    host = f"//{urlsplit(registry).netloc}{urlsplit(registry).path}"
    token = f"{host}:_authToken=${{NPM_TOKEN}}\n" if publication.credentials.npm else ""
    (folder / "npmrc").write_text(f"registry={registry}\n{token}", "utf-8")
    (folder / "package.json").write_text("{}", "utf-8")
    env = {
        **neutral(folder),
        **publication.network,
        **publication.credentials.oidc,
        "npm_config_userconfig": str(folder / "npmrc"),
        "npm_config_globalconfig": os.devnull,
        "npm_config_cache": str(folder / "cache"),
        # What failed is asked for, not sent again unseen.
        "npm_config_fetch_retries": "0",
    }
    if publication.credentials.npm:
        env["NPM_TOKEN"] = publication.credentials.npm
    command = ["stage", "publish", str(tarball), "--json", "--access", "public"]
    command += [f"--provenance={'true' if provenance else 'false'}"]
    command += [f"--registry={registry}", f"--{scope}:registry={registry}"]
    try:
        return tools.npm(*command, cwd=folder, log=publication.log, env=env, inherit=False)
    except processes.CommandFailed as failed:
        return describe(failed)


def _stage_id(printed: str) -> str | None:
    """Return the id of the stage from what `npm stage publish --json` printed."""
    try:
        document = json.loads(printed)
        found = document.get("stageId") or document[NPM_NAME]["stageId"]
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return str(found)


def staged(publication: Publication, stage_id: str) -> dict[str, Any]:
    """Return what npm says of a stage.

    Raises:
        StageLost: It has it no more, or the stage has expired.
    """
    answer = ask(
        f"{_stages_url(publication)}/{quote(stage_id)}", headers=publication.credentials.for_npm
    )
    found = answer.json() if answer.status == 200 else {}
    if answer.status == 404 or (found and not is_pending(found)):
        raise StageLost(
            f"npm has the stage {stage_id} no more ({found.get('status', 'not found')}): the tarball "
            "is staged again, and approved again"
        )
    if not found:
        raise NotAsked(
            f"npm answered with status {answer.status} for the stage {stage_id}: only a token of a "
            "person may look at it, in NPM_TOKEN"
        )
    return dict(found)


def staged_or_unknown(publication: Publication, stage_id: str) -> None:
    """Check that npm has a stage, as far as this caller may ask: a token of trusted publishing may not.

    Raises:
        StageLost: It has it no more.
        NotAsked: npm gives no answer.
    """
    url = f"{_stages_url(publication)}/{quote(stage_id)}"
    if ask(url, headers=publication.credentials.for_npm).status not in {401, 403}:
        staged(publication, stage_id)


def staged_tarball(publication: Publication, stage_id: str) -> bytes:
    """Download the tarball of a stage."""
    url = f"{_stages_url(publication)}/{quote(stage_id)}/tarball"
    answer = ask(url, headers=publication.credentials.for_npm, seconds=60)
    if answer.status != 200:
        raise NotAsked(f"npm answered with status {answer.status} for the tarball of {stage_id}")
    return answer.body


def remove_stage(publication: Publication, stage_id: str, one_time_password: str) -> None:
    """Remove a stage from npm; one that is not there is removed."""
    headers = {**publication.credentials.for_npm, "npm-otp": one_time_password}
    url = f"{_stages_url(publication)}/{quote(stage_id)}"
    answer = ask(url, method="DELETE", headers=headers)
    if answer.status not in {200, 202, 204, 404}:
        raise NotDone(
            f"npm did not remove the stage {stage_id} (status {answer.status}): "
            f"npm stage reject {stage_id}"
        )


def approve(publication: Publication, record: Record, one_time_password: str) -> Outcome:
    """Make the stage public, unless it is; then ask npm.

    Raises:
        StageLost: npm has the stage no more.
        NotDone: npm did not make it public.
    """
    if published(publication):
        return Outcome(f"{NPM_NAME} {publication.version} is public, with these bytes")
    if record.npm_stage is None:
        raise StageLost("npm has neither a stage nor the version: the tarball is staged again")
    staged(publication, record.npm_stage)
    if integrity(staged_tarball(publication, record.npm_stage)) != integrity(
        publication.tarball.path.read_bytes()
    ):
        raise Impossible(
            f"the stage {record.npm_stage} has other bytes than those that were approved: reject it, "
            "and look for who could change it"
        )
    url = f"{_stages_url(publication)}/{quote(record.npm_stage)}/approve"
    headers = {**publication.credentials.for_npm, "npm-otp": one_time_password}
    problem = ""
    try:
        answer = ask(url, method="POST", body=b"", headers=headers, seconds=60)
        problem = f"status {answer.status}"
    except NotAsked as not_asked:  # it may have been carried out
        problem = str(not_asked)
    if not published(publication):
        raise NotDone(
            f"npm did not make {NPM_NAME} {publication.version} public ({problem}): 401 asks for "
            "another one-time password; run nox -s approve again"
        )
    return Outcome(f"{NPM_NAME} {publication.version} is public")


def verify(publication: Publication, record: Record) -> Outcome:
    """Compare what npm gives out with the tarball, and require its provenance."""
    del record
    found = published(publication)
    if not found:
        raise NotDone(
            f"{NPM_NAME} {publication.version} is not on npm yet: resume in a few minutes"
        )
    answer = ask(found["dist"]["tarball"], seconds=60)
    if answer.status != 200:
        raise NotDone(f"npm answered with {answer.status} for the tarball: resume in a few minutes")
    if integrity(answer.body) != found["dist"]["integrity"]:
        raise Impossible("the tarball that npm gives out is not the one that was approved")
    if not found["dist"].get("attestations"):
        raise NotDone(f"npm shows no provenance of {NPM_NAME} {publication.version}")
    # A package that is new can't have been staged by a trusted publisher.
    by_publisher = bool((found.get("_npmUser") or {}).get("trustedPublisher"))
    if not by_publisher and not found["alone"]:
        raise NotDone(
            f"{NPM_NAME} {publication.version} was not published by the trusted publisher: find out who "
            "has staged it; npm trust list shows which publisher npm trusts"
        )
    who = "the trusted publisher" if by_publisher else "a person, as a new package is"
    return Outcome(f"same bytes, with provenance, by {who}")
