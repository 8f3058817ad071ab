from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from identity_providers import GitHub, OpenId
from logins import SITE, Engine, client_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def start(serve: Callable[..., Any], tmp_path: Path) -> Callable[..., Engine]:
    """Start an engine with its providers."""

    def started(google: str | None = None, github: str | None = None, **environment: str) -> Engine:
        clock = tmp_path / "clock"
        settings = {"ARCRUN_SERVER_CLOCK_FILE": str(clock), "ARCRUN_SERVER_SITE_URL": SITE}
        if google:
            settings |= client_of("GOOGLE") | {"ARCRUN_SERVER_GOOGLE_ISSUER": google}
        if github:
            urls = ("ARCRUN_SERVER_GITHUB_URL", "ARCRUN_SERVER_GITHUB_API_URL")
            settings |= client_of("GITHUB") | dict.fromkeys(urls, github)
        arguments = ("--dev", "--json", "--data", tmp_path / "data")
        return Engine(serve(*arguments, **settings, **environment), clock)

    return started


@pytest.fixture
def github() -> Iterator[GitHub]:
    with GitHub() as provider:
        yield provider


@pytest.fixture
def openid() -> Iterator[OpenId]:
    with OpenId() as provider:
        yield provider
