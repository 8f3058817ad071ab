# Generated from _async by scripts/unasync.py: edit there.
"""The transport below a bound client, where nothing logs or remembers requests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NoReturn

from arcrun._core.errors import UnexpectedResponseError
from arcrun._core.exceptions import scrubbed, stripped
from arcrun._core.injection import Injection
from arcrun._core.tokens import AccessToken
from arcrun._core.trust import may_receive_secrets
from arcrun._http import httpx, origin, unobserved, until_the_head

from .tokens import SignIn

_URL_HEADERS = ("location", "content-location", "link", "refresh")


class InjectingTransport(httpx.BaseTransport):
    """Adds the secrets to a copy of each request that goes to the service's own origin.

    The client above, its log line, hooks, exceptions, `response.request`, `response.url`, history
    and redirects know the request only as the user wrote it.
    """

    def __init__(self, allowed: str, sign_in: SignIn, inner: httpx.BaseTransport) -> None:
        self._allowed = allowed
        self._sign_in = sign_in
        self._inner = inner

    def __repr__(self) -> str:
        return f"<{type(self).__name__} for {self._allowed}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a bound client cannot be pickled: bind again in the process that needs it")

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, with the secrets if it goes to the service's own origin.

        Raises:
            UnexpectedResponseError: a redirect asks for a body again that was a stream.
        """
        try:
            return self._send_signed(request)
        except Exception as error:
            if not _is_of_spent_body(error):
                raise
        raise UnexpectedResponseError(
            f"{request.method} {request.url.copy_with(query=None)}: the body is at its end: a stream or a "
            "file can be sent only once, and a redirect asks for it again. Send it to this address at "
            "once, or pass the body as bytes"
        )

    def _send_signed(self, request: httpx.Request) -> httpx.Response:
        if not may_receive_secrets(origin(request.url), self._allowed):
            with until_the_head(request):
                return self._inner.handle_request(request)
        token = self._sign_in.token(self._inner)
        response = self._send(request, token)
        if response.status_code == 401 and token and isinstance(request.stream, httpx.ByteStream):
            response.close()
            token = self._sign_in.renewed(self._inner, token)
            response = self._send(request, token)
        return response

    def _send(self, request: httpx.Request, token: AccessToken | None) -> httpx.Response:
        injection = self._sign_in.injection(token)
        body = request.read() if injection.has_body else None
        failure = None
        try:
            response = self._send_secretly(_with_secrets(request, injection, body))
        except BaseException as error:  # noqa: BLE001 - the frames of each hold secrets
            failure = scrubbed(error, injection.without_secrets)
        else:
            for name in _URL_HEADERS:  # they may repeat a secret of the URL
                url = response.headers.get(name, "")
                clean = injection.without_secrets(url)
                if clean != url:
                    response.headers[name] = clean
            response.stream = CleanStream(response.stream)
            return response
        raise failure

    def _send_secretly(self, signed: httpx.Request) -> httpx.Response:
        """Send a request with secrets in it, which this frame holds: no exception may keep it."""
        send = unobserved(self._inner, self._inner.handle_request, "handle_request")
        with until_the_head(signed):
            return send(signed)

    def close(self) -> None:
        """Close the connections."""
        self._inner.close()


class CleanStream(httpx.SyncByteStream):
    """A response body whose exceptions carry no frames: those of the connection hold secrets."""

    def __init__(self, inner: object) -> None:
        assert isinstance(inner, httpx.SyncByteStream)  # noqa: S101 - httpx asserts it too
        self._inner = inner

    def __iter__(self) -> Iterator[bytes]:
        """Yield the body."""
        failure = None
        try:
            for part in self._inner:
                yield part
        except BaseException as error:  # noqa: BLE001 - the frames of each hold secrets
            failure = stripped(error)
        if failure is not None:
            raise failure

    def close(self) -> None:
        """Close the body."""
        self._inner.close()


def _is_of_spent_body(error: Exception) -> bool:
    """Tell whether a body was sent that had been read before; a file then ends before its length."""
    return isinstance(error, httpx.StreamConsumed) or "Too little data for" in str(error)


def _with_secrets(
    request: httpx.Request, injection: Injection, body: bytes | None
) -> httpx.Request:
    """Return a copy of a request with the secrets in it."""
    headers, stream = httpx.Headers(request.headers), request.stream
    if body is not None:
        kind, body = injection.content(request.method, headers.get("content-type", ""), body)
        headers.pop("transfer-encoding", None)
        headers["content-length"] = str(len(body))
        if kind:
            headers["content-type"] = kind
        stream = httpx.ByteStream(body)
    headers.update(injection.headers)
    return httpx.Request(
        request.method,
        request.url.copy_with(raw_path=injection.target(request.url.raw_path)),
        headers=headers,
        stream=stream,
        # A trace callback would see the request with its secrets.
        extensions={name: x for name, x in request.extensions.items() if name != "trace"},
    )
