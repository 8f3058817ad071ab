"""Settings of accounts: where people log in, and to where they go afterwards."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from arcrun_server.errors import StartupError

if TYPE_CHECKING:
    from collections.abc import Mapping

GOOGLE_ISSUER = "https://accounts.google.com"
GITHUB_URL = "https://github.com"
GITHUB_API_URL = "https://api.github.com"
_DOMAIN = re.compile(r"(?=.{1,253}\Z)[a-z0-9-]+(?:\.[a-z0-9-]+)+")


@dataclass(frozen=True)
class GoogleSettings:
    """A client of Google, or of another OpenID provider.

    Args:
        client_id: As the provider has given it.
        client_secret: The same.
        issuer: The provider; its endpoints are found from there (OpenID Connect Discovery).
    """

    client_id: str
    client_secret: str = field(repr=False)
    issuer: str = GOOGLE_ISSUER


@dataclass(frozen=True)
class GitHubSettings:
    """An OAuth app of GitHub.

    Args:
        client_id: As GitHub has given it.
        client_secret: The same.
        url: Where people log in.
        api_url: Where the engine asks who they are.
    """

    client_id: str
    client_secret: str = field(repr=False)
    url: str = GITHUB_URL
    api_url: str = GITHUB_API_URL


@dataclass(frozen=True)
class AccountSettings:
    """Everything about log-ins that is decided before the server starts.

    Args:
        google: Its client, if people can log in there.
        github: Its app, if people can log in there.
        site_url: Origin of the site to whose pages browsers return.
        cookie_domain: Domain of the session cookie; by default the engine's own host.
    """

    google: GoogleSettings | None = None
    github: GitHubSettings | None = None
    site_url: str | None = None
    cookie_domain: str | None = None

    @property
    def has_provider(self) -> bool:
        """Whether people can log in."""
        return self.google is not None or self.github is not None


def account_settings_from(
    environment: Mapping[str, str], *, dev: bool, public_url: str | None
) -> AccountSettings:
    """Read the settings of accounts.

    Args:
        environment: Usually `os.environ`; keys `ARCRUN_SERVER_GOOGLE_CLIENT_ID`,
            `ARCRUN_SERVER_GOOGLE_CLIENT_SECRET`, `ARCRUN_SERVER_GOOGLE_ISSUER`,
            `ARCRUN_SERVER_GITHUB_CLIENT_ID`, `ARCRUN_SERVER_GITHUB_CLIENT_SECRET`,
            `ARCRUN_SERVER_GITHUB_URL`, `ARCRUN_SERVER_GITHUB_API_URL`, `ARCRUN_SERVER_SITE_URL` and
            `ARCRUN_SERVER_COOKIE_DOMAIN`.
        dev: Whether URLs may begin with http://.
        public_url: URL under which clients reach the server.

    Raises:
        StartupError: A value has the wrong form, or one is missing.

    Example:
        >>> account_settings_from({}, dev=False, public_url=None).has_provider
        False
    """
    google, github = _client(environment, "GOOGLE"), _client(environment, "GITHUB")
    settings = AccountSettings(
        google=google
        and GoogleSettings(
            *google, issuer=_url(environment, "ARCRUN_SERVER_GOOGLE_ISSUER", dev) or GOOGLE_ISSUER
        ),
        github=github
        and GitHubSettings(
            *github,
            url=_url(environment, "ARCRUN_SERVER_GITHUB_URL", dev) or GITHUB_URL,
            api_url=_url(environment, "ARCRUN_SERVER_GITHUB_API_URL", dev) or GITHUB_API_URL,
        ),
        site_url=_site_url(environment, dev),
        cookie_domain=_cookie_domain(environment),
    )
    if settings.has_provider and public_url is None and not dev:
        raise StartupError(
            "log-in needs ARCRUN_SERVER_PUBLIC_URL: the provider sends browsers back to PUBLIC_URL/auth/callback"
        )
    return settings


def _client(environment: Mapping[str, str], provider: str) -> tuple[str, str] | None:
    names = [f"ARCRUN_SERVER_{provider}_CLIENT_{part}" for part in ("ID", "SECRET")]
    values = [environment.get(name) or "" for name in names]
    if not any(values):
        return None
    for name, value in zip(names, values, strict=True):
        if not re.fullmatch(r"[\x21-\x7e]{1,512}", value):
            raise StartupError(
                f"{name} must have 1 to 512 ASCII characters and no spaces: set both {' and '.join(names)}, or neither"
            )
    return values[0], values[1]


def _url(environment: Mapping[str, str], name: str, dev: bool) -> str | None:
    value = environment.get(name)
    if not value:
        return None
    parts = urlsplit(value)
    schemes = {"http", "https"} if dev else {"https"}
    if (
        parts.scheme not in schemes
        or not parts.hostname
        or parts.username is not None
        or parts.query
        or parts.fragment
    ):
        allowed = "https:// (http:// in development mode)"
        raise StartupError(
            f"{name} must begin with {allowed} and name a host, without a password, a query and a fragment"
        )
    return value.rstrip("/")


def _site_url(environment: Mapping[str, str], dev: bool) -> str | None:
    value = _url(environment, "ARCRUN_SERVER_SITE_URL", dev)
    if value is not None and urlsplit(value).path:
        raise StartupError(
            "ARCRUN_SERVER_SITE_URL is an origin: scheme and host only, as https://arcrun.dev"
        )
    return value


def _cookie_domain(environment: Mapping[str, str]) -> str | None:
    value = environment.get("ARCRUN_SERVER_COOKIE_DOMAIN")
    if not value:
        return None
    if not _DOMAIN.fullmatch(value):
        raise StartupError(
            "ARCRUN_SERVER_COOKIE_DOMAIN must be a domain in small letters, as arcrun.dev, or be left out"
        )
    return value
