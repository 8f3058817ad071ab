"""GitHub on loopback: drafts of releases, their files, what makes them public, and attestations of files."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from scripts.release.publish.loopback_storage import Reply, Request, Shelf


def answer(shelf: Shelf, request: Request) -> Reply:
    """Answer a request; there is one repository, whose address is that of the service, with or without its name."""
    path = request.path[3:] if request.path[:1] == ("repos",) else request.path
    if request.method == "GET":
        return _shown_at(shelf, path, request.base)
    releases = shelf.documents("releases")
    match request.method, path:
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


def _shown_at(shelf: Shelf, path: tuple[str, ...], base: str) -> Reply:
    releases = shelf.documents("releases")
    match path:
        case ("releases",):
            return Reply(200, [_shown(each, base) for each in releases.values()])
        case ("releases", "tags", tag):
            named = [each for each in releases.values() if each["tag_name"] == tag]
            public = [each for each in named if not each["draft"]]
            return Reply(200, _shown(public[0], base)) if public else Reply(404)
        case ("releases", number, "assets", name) if number in releases:
            file = shelf.file(f"{number}-{name}")
            return Reply(200, file.read_bytes()) if file.is_file() else Reply(404)
        case ("attestations", digest):
            bundles = shelf.documents("attestations").get(digest, ())
            shown = [{"bundle": each} for each in bundles]
            return Reply(200, {"attestations": shown}) if shown else Reply(404)
    return Reply(404)


def _keep_asset(shelf: Shelf, releases: dict[str, Any], number: str, request: Request) -> Reply:
    name, assets = request.query["name"], releases[number]["assets"]
    if name in {each["name"] for each in assets}:
        return Reply(422, {"message": "already_exists"})
    digest = f"sha256:{hashlib.sha256(request.body).hexdigest()}"
    assets.append({"name": name, "digest": digest})
    shelf.keep_file(f"{number}-{name}", request.body)
    shelf.keep("releases", releases)
    return Reply(201, assets[-1])


def _shown(release: dict[str, Any], base: str) -> dict[str, Any]:
    assets = [
        {**each, "browser_download_url": f"{base}/releases/{release['id']}/assets/{each['name']}"}
        for each in release["assets"]
    ]
    return {
        **release,
        "assets": assets,
        "upload_url": f"{base}/releases/{release['id']}/assets{{?name,label}}",
    }
