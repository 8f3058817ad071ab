"""GitHub's releases on loopback: drafts, their files, and what makes them public."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from scripts.release.publish.loopback_storage import Reply, Request, Shelf


def answer(shelf: Shelf, request: Request) -> Reply:
    """Answer a request; the address of the service is that of one repository."""
    releases = shelf.documents("releases")
    match request.method, request.path:
        case "GET", ("releases",):
            return Reply(200, [_shown(each, request.base) for each in releases.values()])
        case "POST", ("releases",):
            number = str(len(releases) + 1)
            release = {"id": int(number), "assets": [], **json.loads(request.body)}
            shelf.keep("releases", {**releases, number: release})
            return Reply(201, _shown(release, request.base))
        case "PATCH", ("releases", number) if number in releases:
            releases[number] |= json.loads(request.body)
            shelf.keep("releases", releases)
            return Reply(200, _shown(releases[number], request.base))
        case "POST", ("releases", number, "assets") if number in releases:
            return _keep_asset(shelf, releases, number, request)
    return Reply(404)


def _keep_asset(shelf: Shelf, releases: dict[str, Any], number: str, request: Request) -> Reply:
    name, assets = request.query["name"], releases[number]["assets"]
    if name in {each["name"] for each in assets}:
        return Reply(422, {"message": "already_exists"})
    digest = f"sha256:{hashlib.sha256(request.body).hexdigest()}"
    assets.append({"name": name, "digest": digest})
    shelf.file(f"{number}-{name}").write_bytes(request.body)
    shelf.keep("releases", releases)
    return Reply(201, assets[-1])


def _shown(release: dict[str, Any], base: str) -> dict[str, Any]:
    return {**release, "upload_url": f"{base}/releases/{release['id']}/assets{{?name,label}}"}
