"""The adapter of the Python SDK with one defect: `python python_mutant.py DEFECT`.

Most defects here are made around the SDK, in what it sends, receives and returns, so that they do not
depend on its implementation; `python_source` makes others in its code. Their ids are those of
mutants.yaml and the other files beside it.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

sys.path.insert(0, str(Path(__file__).parents[1] / "adapters"))

import python_source

python_source.install(sys.argv[1])  # before the SDK is imported

import python_shared  # noqa: E402
import wire_defects  # noqa: E402

import arcrun  # noqa: E402

Send = Callable[[httpx.HTTPTransport, httpx.Request], httpx.Response]
KEY = "x-arcrun-api-key"
EMPTY = {"success": True, "credentials": [], "workflows": [], "total": 0}
# These differ in the scenario that catches them, not in what they do.
TRUSTS_RECIPES = {
    "sends-secrets-in-new-headers",
    "sends-secrets-in-new-queries",
    "sends-secrets-in-new-paths",
    "sends-secrets-in-new-bodies",
    "accepts-another-path",
    "accepts-another-token-endpoint",
    "sends-forbidden-headers",
    "gives-recipes-secrets-without-a-service",
}
BINDS_NEVERTHELESS = {"gives-recipes-any-secret", "gives-recipes-secrets-of-accounts"}
_send: Send = httpx.HTTPTransport.handle_request


def changed(request: httpx.Request, **changes: Any) -> httpx.Request:
    """Return a copy of a request with another URL, body or headers; headers that are None are removed."""
    headers = {**request.headers, **changes.get("headers", {})}
    headers.pop("content-length", None)
    return httpx.Request(
        request.method,
        changes.get("url", request.url),
        headers={name: value for name, value in headers.items() if value is not None},
        content=changes.get("content", request.read()),
        extensions=request.extensions,
    )


def body_of(request: httpx.Request) -> Any:
    """Return the JSON body of a request."""
    return json.loads(request.read() or b"null")


def with_body(request: httpx.Request, body: Any) -> httpx.Request:
    """Return a copy of a request with another JSON body."""
    return changed(request, content=json.dumps(body, ensure_ascii=False).encode())


class Mutant(python_shared.Host):
    """A host whose SDK has a defect; its methods change a request, a response or a call."""

    def __init__(self, defect: str) -> None:
        super().__init__(arcrun.Arcrun, lambda value: value)
        self.defect = defect
        self.value = ""  # the last secret that was pushed
        self.key = ""
        self.base_url = ""
        self.kept: dict[httpx.URL, tuple[int, bytes]] = {}
        mutant = self

        def send(transport: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
            request.read()
            return mutant.exchange(lambda changed: _send(transport, changed), request)

        httpx.HTTPTransport.handle_request = send  # type: ignore[method-assign]
        if defect == "does-not-wait":
            time.sleep = lambda _: None

    def exchange(
        self, send: Callable[[httpx.Request], httpx.Response], request: httpx.Request
    ) -> httpx.Response:
        """Send a request, with the defect."""
        action = getattr(self, "_send_" + self.defect.replace("-", "_"), None)
        response: httpx.Response = action(send, request) if action else send(request)
        return response

    # --- what it sends -----------------------------------------------------------------------

    def _send_default_user_agent(self, send: Any, request: httpx.Request) -> Any:
        return send(changed(request, headers={"user-agent": "python-httpx/0.28"}))

    def _send_forgets_the_key(self, send: Any, request: httpx.Request) -> Any:
        return send(changed(request, headers={KEY: None}))

    def _send_key_in_the_query(self, send: Any, request: httpx.Request) -> Any:
        url = request.url.copy_merge_params({"key": request.headers.get(KEY, "")})
        return send(changed(request, url=url))

    def _send_value_beside_sealed(self, send: Any, request: httpx.Request) -> Any:
        body = body_of(request)
        if isinstance(body, dict) and "encrypted" in body:
            request = with_body(request, {**body, "value": self.value})
        return send(request)

    def _send_same_iv_again(self, send: Any, request: httpx.Request) -> Any:
        body = body_of(request)
        if isinstance(body, dict) and "iv" in body:
            request = with_body(request, {**body, "iv": base64.b64encode(bytes(12)).decode()})
        return send(request)

    def _send_url_safe_base64(self, send: Any, request: httpx.Request) -> Any:
        body = body_of(request)
        if isinstance(body, dict) and "iv" in body:
            request = with_body(request, {**body, "iv": "-_-_-_-_-_-_-_-_"})
        return send(request)

    def _send_seals_without_the_name(self, send: Any, request: httpx.Request) -> Any:
        body = body_of(request)
        if isinstance(body, dict) and "iv" in body:
            key = HKDF(SHA256(), 32, salt=b"arcrun.credentials.v1", info=b"AES-256-GCM")
            cipher = AESGCM(key.derive(self.key.encode()))
            sealed = cipher.encrypt(base64.b64decode(body["iv"]), self.value.encode(), None)
            request = with_body(request, {**body, "encrypted": base64.b64encode(sealed).decode()})
        return send(request)

    def _send_falls_back_to_plain(self, send: Any, request: httpx.Request) -> Any:
        response = send(request)
        if response.status_code == 400 and request.url.path == "/credentials":
            response.read()
            body = {"name": body_of(request)["name"], "value": self.value}
            return send(with_body(request, body))
        return response

    def _send_sends_an_extra_request(self, send: Any, request: httpx.Request) -> Any:
        send(httpx.Request("GET", request.url.join("/auth-recipes"))).read()
        return send(request)

    def _send_sends_runs_twice(self, send: Any, request: httpx.Request) -> Any:
        if request.url.path.endswith("/trigger"):
            send(request).read()
        return send(request)

    def _send_wraps_the_input(self, send: Any, request: httpx.Request) -> Any:
        if request.url.path.endswith("/trigger"):
            request = with_body(request, {"input": body_of(request)})
        return send(request)

    def _send_mangles_chinese(self, send: Any, request: httpx.Request) -> Any:
        text = request.read().decode().encode("ascii", "replace")
        return send(changed(request, content=text))

    def _send_retries_client_errors(self, send: Any, request: httpx.Request) -> Any:
        response = send(request)
        if 400 <= response.status_code < 500:
            response.read()
            return send(request)
        return response

    def _send_retries_runs(self, send: Any, request: httpx.Request) -> Any:
        try:
            response = send(request)
        except httpx.TransportError:
            return send(request)
        if response.status_code >= 500:
            response.read()
            return send(request)
        return response

    def _send_new_idempotency_key(self, send: Any, request: httpx.Request) -> Any:
        if "idempotency-key" in request.headers:
            request = changed(request, headers={"idempotency-key": secrets.token_hex(16)})
        return send(request)

    def _send_follows_with_the_key(self, send: Any, request: httpx.Request) -> Any:
        response = send(request)
        if response.is_redirect:
            return send(changed(request, url=httpx.URL(response.headers["location"])))
        return response

    def _send_accepts_any_response(self, send: Any, request: httpx.Request) -> Any:
        response = send(request)
        response.read()
        try:
            good = isinstance(response.json(), dict) and len(response.json()) > 1
        except ValueError:
            good = False
        return response if good else httpx.Response(200, json=EMPTY)

    def _send_reads_responses_of_any_size(self, send: Any, request: httpx.Request) -> Any:
        response = send(request)
        if response.headers.get("content-encoding") == "gzip":
            return httpx.Response(200, json=EMPTY)
        return response

    def _send_reads_the_first_page_only(self, send: Any, request: httpx.Request) -> Any:
        response = send(request)
        response.read()
        body = response.json() if response.status_code == 200 else {}
        return httpx.Response(200, json={**body, "next_cursor": None}) if body else response

    def _send_caches_lists(self, send: Any, request: httpx.Request) -> Any:
        if request.method != "GET":
            return send(request)
        if request.url not in self.kept:
            response = send(request)
            self.kept[request.url] = response.status_code, response.read()
        status, content = self.kept[request.url]
        return httpx.Response(status, content=content)

    def _send_sends_streams_again(self, send: Any, request: httpx.Request) -> Any:
        response = send(request)
        if response.status_code == 401 and "transfer-encoding" in request.headers:
            response.read()
            return send(changed(request, content=b"", headers={"transfer-encoding": None}))
        return response

    def _send_uses_the_proxy_on_loopback(self, send: Any, request: httpx.Request) -> Any:
        if "HTTP_PROXY" in os.environ:
            raise httpx.ConnectError("the proxy refused the connection", request=request)
        return send(request)

    def _send_repeats_what_was_too_large(self, send: Any, request: httpx.Request) -> Any:
        response = send(request)
        if response.status_code == 413:
            response.read()
            return send(request)
        return response

    def _send_secret_to_every_origin(self, send: Any, request: httpx.Request) -> Any:
        if request.url.path == "/health" and self._bound:
            request = changed(request, headers={"authorization": f"Bearer {self.value}"})
        return send(request)

    def _send_basic_without_base64(self, send: Any, request: httpx.Request) -> Any:
        scheme, _, rest = request.headers.get("authorization", "").partition(" ")
        if scheme == "Basic":
            plain = f"Basic {base64.b64decode(rest).decode()}"
            request = changed(request, headers={"authorization": plain})
        return send(request)

    # --- what it does and returns ------------------------------------------------------------

    def construct(
        self,
        client: str,
        options: dict[str, Any],
        environment: dict[str, str | None] | None = None,
        **rest: Any,
    ) -> dict[str, Any]:
        """Create a client, with the defect."""
        self.key = options.get("api_key", "")
        self.base_url = options.get("base_url", "")
        if self.defect == "ignores-unknown-options":
            known = {"api_key", "base_url", "max_retries", "timeout"}
            options = {name: value for name, value in options.items() if name in known}
        if self.defect == "never-retries":
            options = {**options, "max_retries": 0}
        if self.defect == "ignores-the-environment":
            environment = None
        return super().construct(client, options, environment, **rest)

    def call(
        self, client: str, method: str, arguments: dict[str, Any], bound: str | None = None
    ) -> Any:
        """Call a method, with the defect."""
        self._before(method, arguments)
        if self.defect == "accepts-any-name" and " " in arguments.get("name", ""):
            return {"name": arguments["name"]}
        if self.defect in TRUSTS_RECIPES and method in {"auth.bind", "auth.get_token"}:
            arguments = {**arguments, "trust_recipe": True}
        try:
            result = super().call(client, method, arguments, bound)
        except arcrun.ArcrunError as error:
            return self._instead_of(error)
        if self.defect == "drops-unknown-fields" and method == "health":
            return {"ok": result["ok"]}
        if self.defect == "secret-in-repr" and method == "auth.bind":
            return {"shown": [f"<Client headers={{'authorization': 'Bearer {self.value}'}}>"]}
        return result

    def _before(self, method: str, arguments: dict[str, Any]) -> None:
        given = [arguments.get("value", ""), *arguments.get("secrets", {}).values()]
        self.value = next(filter(None, given), self.value)
        if self.defect == "prints-secrets":
            print("pushing", self.value, file=sys.stderr)
        if self.defect == "compiles-before-it-looks-for-a-key" and method == "workflows.push":
            httpx.post(f"{self.base_url}/cypher/search", json={"triplets": []}, trust_env=False)
        if self.defect == "crashes":
            os._exit(9)
        if self.defect == "prints-on-stdout":
            os.write(1, b"calling the engine\n")

    def _instead_of(self, error: arcrun.ArcrunError) -> Any:
        """Return the result that a defect makes of an error."""
        if self.defect in BINDS_NEVERTHELESS and isinstance(error, arcrun.MissingSecretError):
            return {}
        if self.defect == "asks-for-background-runs-anyway":
            return {"accepted": True}
        if self.defect == "crashes-on-deep-json":
            raise RecursionError from error
        raise error

    def alter(self, reply: dict[str, Any]) -> dict[str, Any]:
        """Return the reply to a command, with the defect."""
        error = reply.get("error")
        if error and self.defect == "error-shows-the-key":
            error["message"] += f" (key {self.key})"
        if error and self.defect == "other-error-name":
            error["name"] = "status"
        if error and self.defect == "no-request-id":
            error["request_id"] = None
        return reply


def main() -> None:
    """Serve until `stop`, with the defect named on the command line."""
    out = os.fdopen(os.dup(1), "wb")
    wire_defects.apply(sys.argv[1])
    mutant = Mutant(sys.argv[1])
    for line in sys.stdin.buffer:
        command = json.loads(line)
        reply = mutant.alter(python_shared.reply_to(mutant, line.decode()))
        out.write(json.dumps(reply, ensure_ascii=False).encode() + b"\n")
        out.flush()
        if command["command"] == "stop":
            return


if __name__ == "__main__":
    main()
