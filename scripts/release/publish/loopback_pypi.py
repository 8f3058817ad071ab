"""PyPI on loopback: the form for uploads, the JSON of a project and of a version, files, and their provenance."""

from __future__ import annotations

import datetime as dt
import email.parser
import email.policy
import hashlib
import json
from typing import Any

from scripts.release.publish.loopback_storage import Reply, Request, Shelf


def answer(shelf: Shelf, request: Request) -> Reply:
    """Answer a request."""
    if (request.method, request.path) == ("POST", ("legacy",)):
        return _upload(shelf, _form(request))
    return _shown(shelf, request) if request.method == "GET" else Reply(404)


def _shown(shelf: Shelf, request: Request) -> Reply:
    match request.path:
        case ("pypi", name, "json"):
            return _project(shelf, request.base, name, None)
        case ("pypi", name, version, "json"):
            return _project(shelf, request.base, name, version)
        case ("simple", name):
            return _simple(shelf, request.base, name)
        case ("files", file):
            path = shelf.file(file)
            return Reply(200, path.read_bytes()) if path.is_file() else Reply(404)
        case ("integrity", _, _, file, "provenance"):
            entry = shelf.documents("uploads").get(file)
            return Reply(200, entry["provenance"]) if entry else Reply(404)
    return Reply(404)


def _form(request: Request) -> dict[str, Any]:
    """Return the fields of a form of multipart/form-data; of a field that is there twice, all values."""
    head = f"Content-Type: {request.headers.get('content-type', '')}\r\n\r\n".encode()
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + request.body)
    fields: dict[str, Any] = {}
    for part in message.iter_parts():
        name = str(part.get_param("name", header="content-disposition"))
        content: Any = part.get_payload(decode=True)
        if part.get_filename():
            fields["content"], fields["file"] = content, part.get_filename()
        elif name == "project_urls":
            fields.setdefault(name, []).append(content.decode())
        else:
            fields[name] = content.decode()
    return fields


def _upload(shelf: Shelf, form: dict[str, Any]) -> Reply:
    """Keep a file, unless there is one of this name: no bytes are ever replaced."""
    uploads, owners = shelf.documents("uploads"), shelf.documents("owners")
    digest = hashlib.sha256(form["content"]).hexdigest()
    if owners.get(form["name"], "us") != "us":
        return Reply(403, {"message": f"The user isn't allowed to upload to {form['name']}"})
    if form["file"] in uploads and uploads[form["file"]]["sha256"] != digest:
        return Reply(400, {"message": f"File already exists ({form['file']})"})
    if _is_closed(uploads, form["name"], form["version"]):
        return Reply(400, {"message": "Uploads to a release older than 14 days are not allowed"})
    urls = (each.partition(", ") for each in form.get("project_urls", []))
    uploads[form["file"]] = {
        "name": form["name"],
        "version": form["version"],
        "sha256": digest,
        "uploaded": dt.datetime.now(dt.timezone.utc).isoformat(),
        "urls": {label: url for label, _, url in urls},
        "provenance": {
            "version": 1,
            "attestation_bundles": [{"attestations": json.loads(form.get("attestations", "[]"))}],
        },
    }
    shelf.keep_file(form["file"], form["content"])
    shelf.keep("uploads", uploads)
    return Reply(200)


def _is_closed(uploads: dict[str, Any], name: str, version: str) -> bool:
    oldest = dt.datetime.now(dt.timezone.utc) - dt.timedelta(days=14)
    return any(
        dt.datetime.fromisoformat(each["uploaded"]) < oldest
        for each in uploads.values()
        if (each["name"], each["version"]) == (name, version)
    )


def _project(shelf: Shelf, base: str, name: str, version: str | None) -> Reply:
    others = shelf.documents("others")
    if name in others:
        return Reply(200, others[name]) if version is None else Reply(404)
    entries = {
        file: each
        for file, each in shelf.documents("uploads").items()
        if each["name"] == name and version in {None, each["version"]}
    }
    if not entries:
        return Reply(404)
    newest = list(entries.values())[-1]
    files = [
        {
            "filename": file,
            "digests": {"sha256": each["sha256"]},
            "upload_time_iso_8601": each["uploaded"],
            "url": f"{base}/files/{file}",
        }
        for file, each in entries.items()
    ]
    info = {"name": name, "version": newest["version"], "project_urls": newest["urls"]}
    return Reply(200, {"info": info, "urls": files})


def _simple(shelf: Shelf, base: str, name: str) -> Reply:
    links = "".join(
        f'<a href="{base}/files/{file}#sha256={each["sha256"]}">{file}</a>\n'
        for file, each in shelf.documents("uploads").items()
        if each["name"] == name
    )
    return Reply(200, f"<!DOCTYPE html><html><body>\n{links}</body></html>")
