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
        name: What happens, and where.
        step: Before which step it is planted.
        plant: Plants it.
        ends: The state in which the resumed publication must be.
        says: What its history must say.
        mend: What is done before it is resumed.
        planted: The files on PyPI that are there by the fault, and `npm` if that is.
    """

    name: str
    step: str
    plant: Callable[[World], None]
    ends: str
    says: str = ""
    mend: Callable[[World], None] = lambda _: None
    planted: frozenset[str] = frozenset()


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
    shelf.file(path.name).write_bytes(path.read_bytes())
    _change(world, "pypi", "uploads", lambda uploads: uploads.update({path.name: entry}))


def _other_bytes_on_pypi(world: World) -> None:
    _upload(world, "other = True\n", 0)


def _half_uploaded_long_ago(world: World) -> None:
    _upload(world, "", 15)


def _half_uploaded_yesterday(world: World) -> None:
    _upload(world, "", 1)


def _other_download(world: World) -> None:
    world.loopback.storage.of("pypi").file(_wheel_name(SDK)).write_bytes(b"other")


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
        shelf.file(stage_id).write_bytes(b"other")


def _other_bytes_on_npm(world: World) -> None:
    shelf = world.loopback.storage.of("npm")
    dist = {"integrity": "sha512-other", "shasum": "other", "file": "other.tgz"}
    shelf.file("other.tgz").write_bytes(b"other")
    package = {NPM_NAME: {tiny.VERSION: {"homepage": our_urls()[0], "dist": dist}}}
    shelf.keep("packages", package)


def _dist_changed(world: World) -> None:
    path = world.publication.python[0].path
    path.write_bytes(path.read_bytes() + b"other")


def _dist_as_before(world: World) -> None:
    path = world.publication.python[0].path
    path.write_bytes(path.read_bytes().removesuffix(b"other"))


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


_WHEEL = frozenset({_wheel_name(SDK)})
_NEVER = "No version is ever uploaded twice"
_STAGE_STEPS = ("approval", "pypi_upload", "pypi_verify", "npm_approve")
SPECIAL = (
    *(
        Special(
            f"{step}: PyPI's name taken in between",
            step,
            _pypi_name_taken,
            "released",
            "belongs to another project" if step in {"names", "npm_stage", "pypi_upload"} else "",
            _pypi_name_given_back,
        )
        for step in ("names", "npm_stage", "approval", "pypi_upload")
    ),
    *(
        Special(
            f"{step}: npm's name taken in between",
            step,
            _npm_name_taken,
            "released",
            "belongs to another project",
            _npm_name_given_back,
        )
        for step in ("names", "npm_stage", "pypi_upload")
    ),
    *(
        Special(f"{step}: the stage expired", step, _stage_expired, "released", "no more (expired)")
        for step in _STAGE_STEPS
    ),
    *(
        Special(f"{step}: the stage was removed", step, _stage_removed, "released", "not found")
        for step in _STAGE_STEPS
    ),
    Special(
        "pypi_upload: other bytes on PyPI",
        "pypi_upload",
        _other_bytes_on_pypi,
        "stuck",
        _NEVER,
        planted=_WHEEL,
    ),
    Special(
        "pypi_upload: half of it there for 15 days",
        "pypi_upload",
        _half_uploaded_long_ago,
        "stuck",
        "14 days after the first",
        planted=_WHEEL,
    ),
    Special(
        "pypi_upload: half of it there since yesterday",
        "pypi_upload",
        _half_uploaded_yesterday,
        "released",
        "uploaded 5",
    ),
    Special(
        "pypi_upload: dist/ changed after it was approved",
        "pypi_upload",
        _dist_changed,
        "released",
        "has changed since it was rehearsed",
        _dist_as_before,
    ),
    Special(
        "pypi_verify: PyPI gives out other bytes",
        "pypi_verify",
        _other_download,
        "stuck",
        "is not what was uploaded",
        planted=_WHEEL,
    ),
    Special(
        "npm_stage: other bytes on npm",
        "npm_stage",
        _other_bytes_on_npm,
        "stuck",
        "npm has other bytes",
        planted=frozenset({"npm"}),
    ),
    Special(
        "npm_approve: other bytes on npm",
        "npm_approve",
        _other_bytes_on_npm,
        "stuck",
        "npm has other bytes",
        planted=frozenset({"npm"}),
    ),
    Special("approval: npm has other bytes in the stage", "approval", _stage_changed, "staged"),
    Special(
        "npm_approve: npm has other bytes in the stage",
        "npm_approve",
        _stage_changed,
        "stuck",
        "has other bytes than those that were approved",
    ),
    Special(
        "evidence: the tree is not the commit",
        "evidence",
        _not_clean,
        "released",
        "the working tree is not the commit",
        _clean,
    ),
    Special(
        "live: the gate was passed by other bytes",
        "live",
        _live_gate_of_others,
        "released",
        "is not about these bytes",
        _live_gate_of_these,
    ),
)
