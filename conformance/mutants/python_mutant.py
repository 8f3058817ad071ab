"""The Python SDK with one defect: `python python_mutant.py DEFECT` is its adapter.

Defects are made around the SDK, in what it sends, gets and gives back, so that they do not depend on
how it is written inside. Each is a method of `Mutant` by the defect's name.
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

import python_shared

import arcrun

Send = Callable[[httpx.HTTPTransport, httpx.Request], httpx.Response]
KEY = "x-arcrun-api-key"
_send: Send = httpx.HTTPTransport.handle_request


def changed(request: httpx.Request, **changes: Any) -> httpx.Request:
    """A copy of a request with another URL, body or headers; headers that are None are left out."""
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
    """The JSON body of a request."""
    return json.loads(request.read() or b"null")


def with_body(request: httpx.Request, body: Any) -> httpx.Request:
    """A copy of a request with another JSON body."""
    return changed(request, content=json.dumps(body, ensure_ascii=False).encode())


class Mutant(python_shared.Host):
    """A host whose SDK has a defect; the methods below change a request, an answer or a call."""

    def __init__(self, defect: str) -> None:
        super().__init__(arcrun.Arcrun, lambda value: value)
        self.defect = defect
        self.value = ""  # the last secret that was pushed
        self.key = ""
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
        """Send a request as the defect has it."""
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
        answer = send(request)
        if answer.status_code == 400 and request.url.path == "/credentials":
            answer.read()
            body = {"name": body_of(request)["name"], "value": self.value}
            return send(with_body(request, body))
        return answer

    def _send_asks_once_more(self, send: Any, request: httpx.Request) -> Any:
        send(httpx.Request("GET", request.url.join("/auth-recipes"))).read()
        return send(request)

    def _send_sends_twice(self, send: Any, request: httpx.Request) -> Any:
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

    def _send_repeats_client_errors(self, send: Any, request: httpx.Request) -> Any:
        answer = send(request)
        if 400 <= answer.status_code < 500:
            answer.read()
            return send(request)
        return answer

    def _send_repeats_runs(self, send: Any, request: httpx.Request) -> Any:
        try:
            answer = send(request)
        except httpx.TransportError:
            return send(request)
        if answer.status_code >= 500:
            answer.read()
            return send(request)
        return answer

    def _send_new_idempotency_key(self, send: Any, request: httpx.Request) -> Any:
        if "idempotency-key" in request.headers:
            request = changed(request, headers={"idempotency-key": secrets.token_hex(16)})
        return send(request)

    def _send_follows_with_the_key(self, send: Any, request: httpx.Request) -> Any:
        answer = send(request)
        if answer.is_redirect:
            return send(changed(request, url=httpx.URL(answer.headers["location"])))
        return answer

    def _send_takes_any_answer(self, send: Any, request: httpx.Request) -> Any:
        answer = send(request)
        answer.read()
        try:
            good = isinstance(answer.json(), dict) and len(answer.json()) > 1
        except ValueError:
            good = False
        empty = {"success": True, "credentials": [], "workflows": [], "total": 0}
        return answer if good else httpx.Response(200, json=empty)

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

    # --- what it does and gives back ---------------------------------------------------------

    def construct(
        self,
        client: str,
        options: dict[str, Any],
        environment: dict[str, str | None] | None = None,
    ) -> dict[str, Any]:
        """Make a client, as the defect has it."""
        self.key = options.get("api_key", "")
        if self.defect == "never-repeats":
            options = {**options, "max_retries": 0}
        if self.defect == "ignores-the-environment":
            environment = None
        return super().construct(client, options, environment)

    def call(
        self, client: str, method: str, arguments: dict[str, Any], bound: str | None = None
    ) -> Any:
        """Call a method, as the defect has it."""
        given = [arguments.get("value", ""), *arguments.get("secrets", {}).values()]
        self.value = next(filter(None, given), self.value)
        if self.defect == "prints-secrets":
            print("pushing", self.value, file=sys.stderr)
        if self.defect == "takes-any-name" and " " in arguments.get("name", ""):
            return {"name": arguments["name"]}
        if self.defect == "crashes":
            os._exit(9)
        if self.defect == "talks-on-stdout":
            os.write(1, b"calling the engine\n")
        result = super().call(client, method, arguments, bound)
        if self.defect == "drops-unknown-fields" and method == "health":
            return {"ok": result["ok"]}
        if self.defect == "secret-in-repr" and method == "auth.bind":
            return {"shown": [f"<Client headers={{'authorization': 'Bearer {self.value}'}}>"]}
        return result

    def altered(self, reply: dict[str, Any]) -> dict[str, Any]:
        """The answer to a command, as the defect has it."""
        error = reply.get("error")
        if error and self.defect == "error-shows-the-key":
            error["message"] += f" (key {self.key})"
        if error and self.defect == "other-error-name":
            error["name"] = "status"
        if error and self.defect == "no-request-id":
            error["request_id"] = None
        return reply


def main() -> None:
    """Serve until `stop`, with the defect that the command line names."""
    out = os.fdopen(os.dup(1), "wb")
    mutant = Mutant(sys.argv[1])
    for line in sys.stdin.buffer:
        command = json.loads(line)
        reply = python_shared.answer(mutant, line.decode())
        reply = mutant.altered(reply)
        out.write(json.dumps(reply, ensure_ascii=False).encode() + b"\n")
        out.flush()
        if command["command"] == "stop":
            return


if __name__ == "__main__":
    main()
