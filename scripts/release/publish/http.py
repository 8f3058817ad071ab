"""Ask a registry over HTTP: a status and a body, or that it can't be reached."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

SECONDS = 5.0
LARGEST = 64_000_000  # bytes; larger than any package, and no server can fill the memory


class NotAsked(Exception):
    """A registry gave no answer that tells anything; the message names it and says why."""


class Answer(NamedTuple):
    """What a registry has answered."""

    status: int
    body: bytes

    def json(self) -> Any:
        """Return the body, parsed.

        Raises:
            NotAsked: It is not JSON, as where a proxy answers instead of the registry.
        """
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            raise NotAsked(f"the answer (status {self.status}) is not JSON") from None


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Follow no redirect: a token would go to where it leads."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def ask(
    url: str,
    *,
    method: str = "GET",
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    seconds: float = SECONDS,
) -> Answer:
    """Send a request; return the answer, whatever its status below 500 is.

    Raises:
        NotAsked: There is no answer, or one with which the registry says that it has a problem itself.
    """
    host = urlsplit(url).netloc
    if urlsplit(url).scheme not in {"http", "https"}:
        raise NotAsked(f"{url} is no http(s) URL")
    request = urllib.request.Request(url, data=body, method=method, headers=dict(headers or {}))  # noqa: S310 - checked
    try:
        with urllib.request.build_opener(_NoRedirects).open(request, timeout=seconds) as answer:
            return Answer(answer.status, answer.read(LARGEST))
    except urllib.error.HTTPError as error:
        with error:
            if error.code >= 500:
                raise NotAsked(f"{host} answered {method} with status {error.code}") from None
            return Answer(error.code, error.read(LARGEST))
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise NotAsked(f"{host} could not be asked: {reason}") from None
