"""The npm registry on loopback: the JSON of a package, tarballs, and stages that a second factor makes public."""

from __future__ import annotations

import base64
import hashlib
import json
import uuid
from typing import Any

from scripts.release.publish.loopback_storage import Reply, Request, Shelf

# The one-time password that the registry accepts.
ONE_TIME_PASSWORD = "a one-time password"  # noqa: S105 - of a registry that keeps nothing of value


def answer(shelf: Shelf, request: Request) -> Reply:
    """Answer a request."""
    match request.method, request.path:
        case "POST", ("-", "stage", "package", name):
            return _stage(shelf, name, json.loads(request.body))
        case "GET", ("-", "stage"):
            return _listed(shelf, request.query.get("package"))
        case method, ("-", "stage", stage_id, *rest):
            return _staged(shelf, request, (method, *rest), stage_id)
        case "GET", ("-", "files", file):
            return Reply(200, shelf.file(file).read_bytes())
        case "GET", (name,):
            return _package(shelf, request.base, name)
    return Reply(404)


def _stage(shelf: Shelf, name: str, document: dict[str, Any]) -> Reply:
    ((version, manifest),) = document["versions"].items()
    if shelf.documents("others").get(name):
        return Reply(403, {"error": f"You do not have permission to publish {name}"})
    if version in shelf.documents("packages").get(name, {}):
        return Reply(403, {"error": f"{name}@{version} was published before"})
    (attachment,) = document["_attachments"].values()
    tarball = base64.b64decode(attachment["data"])
    stage_id = str(uuid.uuid4())
    stages = shelf.documents("stages")
    if any((each["version"], each["status"]) == (version, "pending") for each in stages.values()):
        shelf.keep("repeated", {**shelf.documents("repeated"), stage_id: version})
    stages[stage_id] = {
        "id": stage_id,
        "packageName": name,
        "version": version,
        "tag": "latest",
        "status": "pending",
        "shasum": hashlib.sha1(tarball, usedforsecurity=False).hexdigest(),
        "manifest": manifest,
    }
    shelf.keep_file(stage_id, tarball)
    shelf.keep("stages", stages)
    return Reply(201, {"stageId": stage_id})


def _listed(shelf: Shelf, package: str | None) -> Reply:
    stages = shelf.documents("stages").values()
    items = [_shown(each) for each in stages if package in {None, each["packageName"]}]
    return Reply(200, {"items": items, "total": len(items)})


def _staged(shelf: Shelf, request: Request, action: tuple[str, ...], stage_id: str) -> Reply:
    stages = shelf.documents("stages")
    match action if stage_id in stages else ():
        case ("GET",):
            return Reply(200, _shown(stages[stage_id]))
        case "GET", "tarball":
            return Reply(200, shelf.file(stage_id).read_bytes())
        case ("DELETE",):
            del stages[stage_id]
            shelf.keep("stages", stages)
            return Reply(204)
        case "POST", "approve":
            if request.headers.get("npm-otp") != ONE_TIME_PASSWORD:
                return Reply(401, {"error": "This operation requires a one-time password"})
            return _publish(shelf, stages, stage_id)
    return Reply(404)


def _publish(shelf: Shelf, stages: dict[str, Any], stage_id: str) -> Reply:
    if shelf.documents("others").get(stages[stage_id]["packageName"]):
        return Reply(403, {"error": "You do not have permission to publish it"})
    staged = stages.pop(stage_id)
    tarball = shelf.file(stage_id).read_bytes()
    name, version = staged["packageName"], staged["version"]
    file = f"{name}-{version}.tgz".replace("/", "-")
    shelf.keep_file(file, tarball)
    packages = shelf.documents("packages")
    digest = base64.b64encode(hashlib.sha512(tarball).digest()).decode()
    packages.setdefault(name, {})[version] = {
        **{key: value for key, value in staged["manifest"].items() if key != "dist"},
        "dist": {"integrity": f"sha512-{digest}", "shasum": staged["shasum"], "file": file},
        # On loopback nothing signs: this stands in for what Sigstore's signatures are on the registry.
        "_npmUser": {"name": "loopback", "trustedPublisher": {"id": "loopback"}},
    }
    shelf.keep("packages", packages)
    shelf.keep("stages", stages)
    return Reply(200, {"ok": True})


def _package(shelf: Shelf, base: str, name: str) -> Reply:
    if other := shelf.documents("others").get(name):
        return Reply(200, other)
    versions = shelf.documents("packages").get(name)
    if not versions:
        return Reply(404)
    for version in versions.values():
        dist = version["dist"]
        dist["tarball"] = f"{base}/-/files/{dist.pop('file')}"
        if name not in shelf.documents("unattested"):
            dist["attestations"] = {"url": f"{base}/-/npm/v1/attestations/{name}"}
    newest = next(reversed(versions))
    homepage = versions[newest].get("homepage")
    tags = {"latest": newest}
    return Reply(200, {"name": name, "dist-tags": tags, "versions": versions, "homepage": homepage})


def _shown(stage: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in stage.items() if name != "manifest"}
