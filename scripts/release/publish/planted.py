"""Faults that only some steps can meet: other bytes, names that others take, stages that expire, 14 days."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scripts.release.artifacts import sha256
from scripts.release.publish import tiny
from scripts.release.versions import NPM_NAME, SDK, our_urls

if TYPE_CHECKING:
    from collections.abc import Callable

    from scripts.release.publish.world import World

OTHER = "https://github.com/somebody/else"


@dataclass(frozen=True)
class Special:
    """A fault of one step.

    Attributes:
        step: Before which step it is planted.
        kind: One of `faults.KINDS`.
        what: What happens.
        plant: Plants it.
        ends: The state in which the resumed publication must be.
        says: What its history must say.
        mend: What is done before it is resumed.
        planted: The files on PyPI that are there by the fault, and `npm` if that is.
    """

    step: str
    kind: str
    what: str
    plant: Callable[[World], None]
    ends: str
    says: str = ""
    mend: Callable[[World], None] = lambda _: None
    planted: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """Return the name of the step, and what happens there."""
        return f"{self.step}: {self.what}"


def _wheel_name(package: str) -> str:
    return f"{package.replace('-', '_')}-{tiny.VERSION}-py3-none-any.whl"


def _change(
    world: World, service: str, kind: str, change: Callable[[dict[str, Any]], None]
) -> None:
    shelf = world.loopback.storage.of(service)
    documents = shelf.documents(kind)
    change(documents)
    shelf.keep(kind, documents)


def _upload(world: World, text: str, days: int) -> None:
    """Put a wheel of the SDK on the index: with these contents, so many days ago."""
    shelf = world.loopback.storage.of("pypi")
    folder = world.path.parent / "planted"
    folder.mkdir(exist_ok=True)
    path = tiny.wheel(folder, SDK, text=text)
    time = dt.datetime.now(dt.timezone.utc) - dt.timedelta(days=days)
    entry = {
        "name": SDK,
        "version": tiny.VERSION,
        "sha256": sha256(path),
        "uploaded": time.isoformat(),
        "urls": {"Homepage": our_urls()[0]},
        "provenance": {"attestation_bundles": [{"attestations": [{"sha256": sha256(path)}]}]},
    }
    shelf.keep_file(path.name, path.read_bytes())
    _change(world, "pypi", "uploads", lambda uploads: uploads.update({path.name: entry}))


def _other_bytes_on_pypi(world: World) -> None:
    _upload(world, "other = True\n", 0)


def _half_uploaded_long_ago(world: World) -> None:
    _upload(world, "", 15)


def _half_uploaded_yesterday(world: World) -> None:
    _upload(world, "", 1)


def _other_download(world: World) -> None:
    world.loopback.storage.of("pypi").keep_file(_wheel_name(SDK), b"other")


def _pypi_name_taken(world: World) -> None:
    document = {"info": {"version": "0.2.0", "project_urls": {"Repository": OTHER}}}
    _change(world, "pypi", "others", lambda others: others.update({SDK: document}))
    _change(world, "pypi", "owners", lambda owners: owners.update({SDK: "somebody"}))


def _pypi_name_given_back(world: World) -> None:
    _change(world, "pypi", "others", dict.clear)
    _change(world, "pypi", "owners", dict.clear)


def _npm_name_taken(world: World) -> None:
    document = {
        "name": NPM_NAME,
        "dist-tags": {"latest": "3.0.0"},
        "versions": {},
        "repository": {"url": OTHER},
    }
    _change(world, "npm", "others", lambda others: others.update({NPM_NAME: document}))


def _npm_name_given_back(world: World) -> None:
    _change(world, "npm", "others", dict.clear)


def _stage_expired(world: World) -> None:
    def expire(stages: dict[str, Any]) -> None:
        for each in stages.values():
            each["status"] = "expired"

    _change(world, "npm", "stages", expire)


def _stage_removed(world: World) -> None:
    _change(world, "npm", "stages", dict.clear)


def _stage_changed(world: World) -> None:
    shelf = world.loopback.storage.of("npm")
    for stage_id in shelf.documents("stages"):
        shelf.keep_file(stage_id, b"other")


def _other_bytes_on_npm(world: World) -> None:
    shelf = world.loopback.storage.of("npm")
    dist = {"integrity": "sha512-other", "shasum": "other", "file": "other.tgz"}
    shelf.keep_file("other.tgz", b"other")
    package = {NPM_NAME: {tiny.VERSION: {"homepage": our_urls()[0], "dist": dist}}}
    shelf.keep("packages", package)


def _dist_changed(world: World) -> None:
    for each in world.publication.artifacts:
        each.path.write_bytes(each.path.read_bytes() + b"other")


def _dist_as_before(world: World) -> None:
    for each in world.publication.artifacts:
        each.path.write_bytes(each.path.read_bytes().removesuffix(b"other"))


def _other_stage(world: World) -> None:
    stage = {"id": "other", "packageName": NPM_NAME, "version": tiny.VERSION, "status": "pending"}
    world.loopback.storage.of("npm").keep("stages", {"other": {**stage, "shasum": "other"}})


def _other_tarball(world: World) -> None:
    shelf = world.loopback.storage.of("npm")
    dist = shelf.documents("packages")[NPM_NAME][tiny.VERSION]["dist"]
    shelf.keep_file(dist["file"], b"other")


def _no_provenance_on_npm(world: World) -> None:
    world.loopback.storage.of("npm").keep("unattested", {NPM_NAME: True})


def _provenance_on_npm(world: World) -> None:
    world.loopback.storage.of("npm").keep("unattested", {})


def _attested(world: World, digests: list[str]) -> None:
    attestations = [{"sha256": digest} for digest in digests]
    bundle = {"attestation_bundles": [{"attestations": attestations}]}
    name = _wheel_name(SDK)
    _change(world, "pypi", "uploads", lambda uploads: uploads[name].update(provenance=bundle))


def _attestation_of_others(world: World) -> None:
    _attested(world, ["other"])


def _no_attestation(world: World) -> None:
    _attested(world, [])


def _attestation(world: World) -> None:
    _attested(world, [world.publication.files[_wheel_name(SDK)]])


def _fifteen_days_later(world: World) -> None:
    time = dt.datetime.now(dt.timezone.utc) - dt.timedelta(days=15)

    def age(uploads: dict[str, Any]) -> None:
        for each in uploads.values():
            each["uploaded"] = time.isoformat()

    _change(world, "pypi", "uploads", age)


def _expired_fifteen_days_later(world: World) -> None:
    _stage_expired(world)
    _fifteen_days_later(world)


def _other_file_on_github(world: World) -> None:
    asset = {"name": "release.json", "digest": "sha256:other"}
    release = {"id": 1, "tag_name": f"v{tiny.VERSION}", "draft": True, "assets": [asset]}
    world.loopback.storage.of("github").keep("releases", {"1": release})


def _not_clean(world: World) -> None:
    (world.publication.root / "README.md").write_text("changed\n", "utf-8")


def _clean(world: World) -> None:
    (world.publication.root / "README.md").write_text("tiny\n", "utf-8")


def _live_gate_of_others(world: World) -> None:
    path = world.publication.live_report
    document = json.loads(path.read_text("utf-8"))
    path.with_suffix(".kept").write_text(path.read_text("utf-8"), "utf-8")
    path.write_text(json.dumps({**document, "artifacts": []}), "utf-8")


def _live_gate_of_these(world: World) -> None:
    path = world.publication.live_report
    path.write_text(path.with_suffix(".kept").read_text("utf-8"), "utf-8")


_WHEEL, _NPM = frozenset({_wheel_name(SDK)}), frozenset({"npm"})
_STAGE_STEPS = ("approval", "pypi_upload", "pypi_verify", "npm_approve")
_NAME, _HASH, _EXPIRED = "name taken", "hash mismatch", "stage expired"
_LATE, _PROVENANCE = "14 days over", "no provenance"
_TAKEN = "belongs to another project"
_NAMES = (
    *(
        Special(
            step,
            _NAME,
            "PyPI's name taken in between",
            _pypi_name_taken,
            "released",
            says,
            _pypi_name_given_back,
        )
        for step, says in {
            "names": _TAKEN,
            "evidence": _TAKEN,
            "live": _TAKEN,
            "npm_stage": _TAKEN,
            "approval": "",  # the approver sees it
            "pypi_upload": _TAKEN,
            "pypi_verify": "PyPI lacks",
        }.items()
    ),
    *(
        Special(
            step,
            _NAME,
            "npm's name taken in between",
            _npm_name_taken,
            "released",
            says,
            _npm_name_given_back,
        )
        for step, says in {
            "names": _TAKEN,
            "evidence": _TAKEN,
            "live": _TAKEN,
            "npm_stage": _TAKEN,
            "approval": _TAKEN,
            "pypi_upload": _TAKEN,
            "pypi_verify": "",  # the approver sees it
            "npm_approve": "",
        }.items()
    ),
)
_STAGES = (
    *(
        Special(step, _EXPIRED, "the stage expired", _stage_expired, "released", "(expired)")
        for step in _STAGE_STEPS
    ),
    *(
        Special(step, _EXPIRED, "the stage was removed", _stage_removed, "released", "not found")
        for step in _STAGE_STEPS
    ),
)
_BYTES = (
    Special(
        "evidence",
        _HASH,
        "the tree is not the commit",
        _not_clean,
        "released",
        "the working tree is not the commit",
        _clean,
    ),
    Special(
        "live",
        _HASH,
        "the gate was passed by other bytes",
        _live_gate_of_others,
        "released",
        "is not about these bytes",
        _live_gate_of_these,
    ),
    Special(
        "npm_stage",
        _HASH,
        "dist/ changed since it was rehearsed",
        _dist_changed,
        "released",
        "has changed since it was rehearsed",
        _dist_as_before,
    ),
    Special(
        "npm_stage",
        _HASH,
        "somebody has staged other bytes",
        _other_stage,
        "released",
        "with other bytes: look at it",
        _stage_removed,
    ),
    Special(
        "npm_stage",
        _HASH,
        "other bytes on npm",
        _other_bytes_on_npm,
        "stuck",
        "npm has other bytes",
        planted=_NPM,
    ),
    Special(
        "approval",
        _HASH,
        "dist/ changed since it was rehearsed",
        _dist_changed,
        "released",
        mend=_dist_as_before,
    ),
    Special("approval", _HASH, "npm has other bytes in the stage", _stage_changed, "staged"),
    Special(
        "pypi_upload",
        _HASH,
        "other bytes on PyPI",
        _other_bytes_on_pypi,
        "stuck",
        "No version is ever uploaded twice",
        planted=_WHEEL,
    ),
    Special(
        "pypi_upload",
        _HASH,
        "dist/ changed after it was approved",
        _dist_changed,
        "released",
        "has changed since it was rehearsed",
        _dist_as_before,
    ),
    Special(
        "pypi_verify",
        _HASH,
        "PyPI gives out other bytes",
        _other_download,
        "stuck",
        "is not what was uploaded",
        planted=_WHEEL,
    ),
    Special(
        "pypi_verify",
        _HASH,
        "the attestation is about other bytes",
        _attestation_of_others,
        "stuck",
        "is about other bytes",
    ),
    Special(
        "npm_approve",
        _HASH,
        "other bytes on npm",
        _other_bytes_on_npm,
        "stuck",
        "npm has other bytes",
        planted=_NPM,
    ),
    Special(
        "npm_approve",
        _HASH,
        "npm has other bytes in the stage",
        _stage_changed,
        "stuck",
        "has other bytes than those that were approved",
    ),
    Special(
        "npm_verify",
        _HASH,
        "npm gives out other bytes",
        _other_tarball,
        "stuck",
        "is not the one that was approved",
        planted=_NPM,
    ),
    Special(
        "github_release",
        _HASH,
        "GitHub has another file",
        _other_file_on_github,
        "stuck",
        "has another release.json",
    ),
)
_DAYS = (
    Special(
        "pypi_upload",
        _LATE,
        "half of it there for 15 days",
        _half_uploaded_long_ago,
        "stuck",
        "14 days after the first",
        planted=_WHEEL,
    ),
    Special(
        "pypi_upload",
        _LATE,
        "half of it there since yesterday",
        _half_uploaded_yesterday,
        "released",
        "uploaded 5",
    ),
    *(
        Special(step, _LATE, "all of it there for 15 days", _fifteen_days_later, "released")
        for step in ("pypi_verify", "npm_approve", "npm_verify", "github_release")
    ),
    Special(
        "npm_approve",
        _LATE,
        "all of it there for 15 days, and the stage expired",
        _expired_fifteen_days_later,
        "released",
        "(expired)",
    ),
)
_UNATTESTED = (
    Special(
        "pypi_verify",
        _PROVENANCE,
        "PyPI has a file without attestation",
        _no_attestation,
        "released",
        "PyPI has no attestation",
        _attestation,
    ),
    Special(
        "npm_verify",
        _PROVENANCE,
        "npm shows no provenance",
        _no_provenance_on_npm,
        "released",
        "npm shows no provenance",
        _provenance_on_npm,
    ),
)
SPECIAL = (*_NAMES, *_STAGES, *_BYTES, *_DAYS, *_UNATTESTED)
