"""A browser for tests: it keeps cookies, says which page a form is on, and follows redirects if the test asks for it."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

_FIELD = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')


class Browser:
    """A browser on an engine.

    Args:
        url: The engine's URL.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.client = httpx.Client(timeout=30, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.client.close()

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.client.get(self._absolute(path), **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        """Send as a page of the engine does, or of `origin`."""
        origin = options.pop("origin", self.url)
        headers = {"Origin": origin} if origin else {}
        return self.client.request(
            options.pop("method", "POST"), self._absolute(path), headers=headers, **options
        )

    def submit(self, page: httpx.Response, path: str, **fields: str) -> httpx.Response:
        """Send the first form of a page, with these fields besides its hidden ones."""
        form = page.text.partition("<form")[2].partition("</form>")[0]
        hidden = {name: unescape(value) for name, value in _FIELD.findall(form)}
        return self.post(path, data={**hidden, **fields})

    def log_in_as(self, name: str, redirect: str = "/") -> httpx.Response:
        """Log in at the development provider, and return where that leads."""
        page = self.get("/auth/dev/start", params={"redirect": redirect})
        assert page.status_code == 200, page.text
        return self.submit(page, "/auth/dev/login", name=name)

    def session(self) -> str | None:
        """Return the cookie of the session."""
        return self.client.cookies.get("arcrun_session")

    def _absolute(self, path: str) -> str:
        return path if "://" in path else f"{self.url}{path}"
