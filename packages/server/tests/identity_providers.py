"""Identity providers on loopback for tests of log-ins: GitHub, and an OpenID provider that can be told to misbehave."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

KEY = RSAKey.generate_key(2048, {"kid": "first"})
OTHER_KEY = RSAKey.generate_key(2048, {"kid": "first"})


@dataclass
class StandIn:
    """What both providers share: browsers come back at once, with a code; its verifier is checked (RFC 7636).

    Args:
        response: Parameters that the browser brings back besides `code` and `state`; None leaves one out.
        token_response: What the token endpoint answers besides the usual; None leaves a field out.
        status: Of the token endpoint's answer.
    """

    response: dict[str, str | None] = field(default_factory=dict)
    token_response: dict[str, Any] = field(default_factory=dict)
    status: int = 200
    authorized: list[dict[str, str]] = field(default_factory=list)
    token_requests: list[dict[str, str]] = field(default_factory=list)
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def __enter__(self) -> Self:
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                stand_in.get(self, urlsplit(self.path).path)

            def do_POST(self) -> None:
                length = int(self.headers.get("content-length", 0))
                form = dict(parse_qsl(self.rfile.read(length).decode()))
                stand_in.token_requests.append(form)
                stand_in.token(self, form)

            def log_message(self, *_: object) -> None:
                """Write nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def get(self, handler: BaseHTTPRequestHandler, path: str) -> None:
        raise NotImplementedError

    def tokens(self, code: dict[str, str]) -> dict[str, Any]:
        raise NotImplementedError

    def authorize(self, handler: BaseHTTPRequestHandler) -> None:
        """Send the browser back with a code."""
        asked = dict(parse_qsl(urlsplit(handler.path).query))
        self.authorized.append(asked)
        code = f"code-{len(self.authorized)}"
        self._codes[code] = asked
        back: dict[str, str | None] = {"code": code, "state": asked["state"], **self.response}
        query = urlencode({name: value for name, value in back.items() if value is not None})
        handler.send_response(302)
        handler.send_header("Location", f"{asked['redirect_uri']}?{query}")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    def token(self, handler: BaseHTTPRequestHandler, form: dict[str, str]) -> None:
        """Give a token for a code, once, to whoever has its verifier."""
        code = self._codes.pop(form.get("code", ""), None)
        verifier = form.get("code_verifier", "")
        digest = hashlib.sha256(verifier.encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (
            code is None
            or code["code_challenge_method"] != "S256"
            or code["code_challenge"] != challenge
            or code["redirect_uri"] != form.get("redirect_uri")
        ):
            reply(handler, {"error": "invalid_grant"}, 400)
            return
        body = {**self.tokens(code), **self.token_response}
        reply(handler, {k: v for k, v in body.items() if v is not None}, self.status)


@dataclass
class GitHub(StandIn):
    """GitHub, as far as a log-in goes.

    Args:
        user_id: Who logs in.
        emails: As `GET /user/emails` lists them.
    """

    user_id: int = 1
    emails: list[dict[str, Any]] = field(default_factory=list)

    def get(self, handler: BaseHTTPRequestHandler, path: str) -> None:
        if path == "/login/oauth/authorize":
            self.authorize(handler)
        elif handler.headers.get("authorization") != "Bearer gho_token":
            reply(handler, {"message": "Bad credentials"}, 401)
        elif path == "/user":
            reply(handler, {"id": self.user_id, "login": "mira"})
        else:
            reply(handler, self.emails)

    def tokens(self, code: dict[str, str]) -> dict[str, Any]:
        return {"access_token": "gho_token", "token_type": "bearer", "scope": code["scope"]}


@dataclass
class OpenId(StandIn):
    """An OpenID provider that can be told to misbehave.

    Args:
        metadata: Fields of its configuration besides the usual ones.
        claims: Claims of its id tokens besides the usual ones; None leaves one out.
        algorithm: What id tokens are signed with; `none` is no signature.
        key: With which key.
    """

    metadata: dict[str, Any] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)
    algorithm: str = "RS256"
    key: Any = field(default_factory=lambda: KEY)

    def get(self, handler: BaseHTTPRequestHandler, path: str) -> None:
        if path == "/authorize":
            self.authorize(handler)
        elif path == "/keys":
            reply(handler, {"keys": [KEY.as_dict(private=False)]})
        else:
            configuration = {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/keys",
            }
            reply(handler, {**configuration, **self.metadata})

    def tokens(self, code: dict[str, str]) -> dict[str, Any]:
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": code["client_id"],
            "sub": "mira",
            "iat": now,
            "exp": now + 300,
            "nonce": code["nonce"],
            **self.claims,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        return {
            "access_token": "token",
            "token_type": "Bearer",
            "id_token": self._id_token(claims),
        }

    def _id_token(self, claims: dict[str, Any]) -> str:
        if self.algorithm == "none":
            parts = [{"alg": "none", "typ": "JWT"}, claims]
            texts = [
                base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
                for part in parts
            ]
            return ".".join([*texts, ""])
        header = {"alg": self.algorithm, "kid": "first"}
        return jwt.encode(header, claims, self.key, algorithms=[self.algorithm])


def reply(handler: BaseHTTPRequestHandler, body: Any, status: int = 200) -> None:
    content = json.dumps(body).encode()
    handler.send_response(status)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content)
