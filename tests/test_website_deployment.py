"""The commands of the workflow that deploys the site, run as they are, against a stand-in for Cloudflare's API."""

import base64
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from scripts.website import workflow_rules as rules

ROOT = Path(__file__).resolve().parent.parent
TOKEN = "token-of-cloudflare"
ACCOUNT = "0123456789abcdef0123456789abcdef"
COMMIT = "0123456789" * 4
HEADERS = "/*\n  X-Frame-Options: DENY\n"

pytestmark = [
    pytest.mark.downloads,
    pytest.mark.skipif(sys.platform != "linux", reason="the commands are those of GitHub's Linux"),
]


class Received(NamedTuple):
    """A request: where it went, with which authorization, and its body."""

    path: str
    authorization: str
    body: bytes


class Cloudflare(BaseHTTPRequestHandler):
    """Responds as the part of Cloudflare's API does that takes a site."""

    received: list[Received]

    def do_GET(self) -> None:
        self._respond(b"")

    def do_POST(self) -> None:
        self._respond(b"".join(self._chunks()))

    def _chunks(self) -> Iterator[bytes]:
        if self.headers.get("Transfer-Encoding") != "chunked":
            yield self.rfile.read(int(self.headers.get("Content-Length", 0)))
            return
        while size := int(self.rfile.readline(), 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def _respond(self, body: bytes) -> None:
        self.received.append(Received(self.path, self.headers.get("Authorization", ""), body))
        result = json.dumps({"success": True, "errors": [], "result": self._result(body)}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(result)))
        self.end_headers()
        self.wfile.write(result)

    def _result(self, body: bytes) -> Any:
        if self.path.endswith("/upload-token"):
            claims = {"exp": int(time.time()) + 3600, "max_file_count_allowed": 1000}
            parts = ({"alg": "none"}, claims)
            return {"jwt": ".".join([*(base64url(part) for part in parts), "signature"])}
        if self.path.endswith("/check-missing"):
            return json.loads(body)["hashes"]
        if "/deployments" in self.path:
            stage = {"name": "deploy", "status": "success"}
            return {"id": "1", "url": "https://1.arcrun.pages.dev", "latest_stage": stage}
        if self.path.endswith("/projects/arcrun"):
            configs = {"production": {}, "preview": {}}
            return {"production_branch": "main", "deployment_configs": configs}
        return None

    def log_message(self, *_arguments: object) -> None:
        """Print nothing."""


def base64url(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.fixture
def cloudflare() -> Iterator[tuple[str, list[Received]]]:
    """The URL of the stand-in, and what it has received."""
    handler = type("Handler", (Cloudflare,), {"received": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", handler.received
        server.shutdown()
        thread.join()


def test_the_workflow_deploys_what_was_built_with_the_locked_wrangler(
    cloudflare: tuple[str, list[Received]], tmp_path: Path
) -> None:
    url, received = cloudflare
    out = tmp_path / "packages/website/out"
    out.mkdir(parents=True)
    (out / "index.html").write_text("<p>首頁</p>", "utf-8")
    (out / "_headers").write_text(HEADERS, "utf-8")
    shutil.copytree(
        ROOT / rules.DEPLOY_FOLDER,
        tmp_path / rules.DEPLOY_FOLDER,
        ignore=shutil.ignore_patterns("node_modules"),
    )

    def run(command: str, folder: Path = tmp_path, **environment: str) -> None:
        programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        cache = os.environ.get("NPM_CONFIG_CACHE", str(Path.home() / ".npm"))
        env = {**os.environ, "PATH": programs, "HOME": str(tmp_path), "NPM_CONFIG_CACHE": cache}
        ran = subprocess.run(
            ["bash", "-e", "-c", command],
            cwd=folder,
            env={**env, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=300,
            check=False,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        assert TOKEN not in ran.stdout + ran.stderr

    run(rules.PACK)
    run(rules.UNPACK)
    run(rules.INSTALL, tmp_path / rules.DEPLOY_FOLDER)
    run(
        rules.DEPLOY,
        CLOUDFLARE_API_BASE_URL=url,
        CLOUDFLARE_ACCOUNT_ID=ACCOUNT,
        CLOUDFLARE_API_TOKEN=TOKEN,
        WRANGLER_SEND_METRICS="false",
        GITHUB_SHA=COMMIT,
    )
    with_token = [each.path for each in received if TOKEN in each.authorization]
    project = f"/accounts/{ACCOUNT}/pages/projects/arcrun"
    assert {path for path in with_token if not path.startswith(project)} == set()
    (deployment,) = (each.body for each in received if each.path == f"{project}/deployments")
    fields = fields_of(deployment.decode())
    assert list(json.loads(fields["manifest"])) == ["/index.html"]
    assert (fields["branch"], fields["commit_hash"]) == ("main", COMMIT)
    assert fields["_headers"].splitlines() == HEADERS.splitlines()
    (upload,) = (json.loads(each.body) for each in received if each.path.endswith("assets/upload"))
    assert [base64.b64decode(file["value"]).decode() for file in upload] == ["<p>首頁</p>"]


def fields_of(form: str) -> dict[str, str]:
    """Return the fields of a multipart form."""
    boundary = form.partition("\r\n")[0]
    parts = form.split(boundary)[1:-1]
    return {
        re.findall(r'name="([^"]+)"', part)[0]: part.partition("\r\n\r\n")[2].removesuffix("\r\n")
        for part in parts
    }
