"""The check of everything that a command needs: this machine, the settings, the way to the engine, the key."""

from __future__ import annotations

import os
import platform
import socket
import stat
import time
import warnings
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit

from arcrun._core.config import check_base_url, check_format, check_key, parse_file
from arcrun._core.errors import (
    ArcrunError,
    ArcrunWarning,
    AuthenticationError,
    PermissionDeniedError,
)
from arcrun._core.origins import is_secure
from arcrun._core.secret import Secret
from arcrun._http import httpx, proxy_for
from arcrun._version import __version__

from .errors import CommandError, command_error
from .login import account_of
from .sentences import sentence
from .settings import CONFIG, Setting, chosen_settings, client_of, config_path, shown_key

_PACKAGES = ("httpx", "cryptography", "pyyaml", "click", "mcp", "arcrun-server")
_TIMEOUT = 10.0
_SKEW = 60  # seconds: signed webhooks allow 300
_MINIMUM = {"cryptography", "httpx", "pyyaml", "click"}


class Check(NamedTuple):
    """What was found.

    Attributes:
        name: what was checked.
        status: `ok`, `warn`, or `fail` if commands can't work.
        found: what there is.
        cure: what to do; empty if nothing.
    """

    name: str
    status: Literal["ok", "warn", "fail"]
    found: str
    cure: str = ""


def examine(*, profile: str | None = None) -> dict[str, Any]:
    """Check the settings, the way to the engine, and the key; nothing is changed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ArcrunWarning)  # a check of its own
        checks = list(_checks(profile))
    failed = any(check.status == "fail" for check in checks)
    return {"ok": not failed, "checks": [check._asdict() for check in checks]}


def _checks(profile: str | None) -> Iterator[Check]:
    yield _python()
    yield _packages()
    config = _config_file()
    yield config
    if config.status == "fail":
        return
    try:
        settings = chosen_settings(profile)
    except CommandError as error:
        yield Check("settings", "fail", error.message, "acr login --profile NAME makes a profile")
        return
    checked = list(_settings(settings))
    yield from checked
    without_key = settings["api_key"].value is None
    if any(
        check.status == "fail" for check in checked if check.name != "API key" or not without_key
    ):
        return
    url = check_base_url(settings["base_url"].value, settings["base_url"].origin)
    yield from _network(url)
    yield from _engine(profile, has_key=not without_key)


def _python() -> Check:
    found = f"{platform.python_version()}, {platform.system()} {platform.machine()}"
    return Check("Python", "ok", f"{found}, arcrun {__version__}")


def _packages() -> Check:
    found = {name: _version_of(name) for name in _PACKAGES}
    missing = sorted(name for name in _MINIMUM if found[name] is None)
    shown = ", ".join(f"{name} {number}" for name, number in found.items() if number)
    if missing:
        return Check(
            "packages",
            "fail",
            sentence("missing: {names}", names=", ".join(missing)),
            "python -m pip install 'arcrun[cli]'",
        )
    return Check("packages", "ok", shown)


def _version_of(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _config_file() -> Check:
    try:
        path = Path(config_path())
        data = path.read_bytes()
        settings = parse_file(Secret(data.decode()), CONFIG)
    except FileNotFoundError:
        return Check(
            "config file", "ok", sentence("there is no {file}, and none is needed", file=CONFIG)
        )
    except OSError as error:
        return Check(
            "config file",
            "fail",
            sentence("{path} can't be read: {reason}", path=CONFIG, reason=error.strerror),
            _CURE_OF_MODE,
        )
    except UnicodeDecodeError:
        return Check(
            "config file", "fail", sentence("{path} is not UTF-8", path=CONFIG), "save it as UTF-8"
        )
    except (ArcrunError, CommandError) as error:
        return Check("config file", "fail", str(error), "mend the line, or remove the file")
    mode = path.stat().st_mode
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO) and _has_key(settings):
        return Check(
            "config file",
            "warn",
            sentence(
                "{path} has a key, and others can read it (mode {mode})",
                path=CONFIG,
                mode=f"{stat.S_IMODE(mode):04o}",
            ),
            _CURE_OF_MODE,
        )
    return Check("config file", "ok", CONFIG)


def _has_key(settings: Mapping[str, Any]) -> bool:
    """Tell whether a config file has a key, also one of a profile."""
    profiles = settings.get("profiles")
    of_profiles = profiles.values() if isinstance(profiles, Mapping) else ()
    return any(
        isinstance(each, Mapping) and each.get("api_key") for each in (settings, *of_profiles)
    )


_CURE_OF_MODE = f"chmod 600 {CONFIG}"


def _settings(settings: dict[str, Setting]) -> Iterator[Check]:
    base_url, key, credentials = (
        settings[name] for name in ("base_url", "api_key", "credential_format")
    )
    try:
        url = check_base_url(base_url.value, base_url.origin)
        if is_secure(url):
            yield Check(
                "base URL",
                "ok",
                sentence("{value} from {origin}", value=url, origin=base_url.origin),
            )
        else:
            yield Check(
                "base URL",
                "fail",
                sentence(
                    "{url} is plain http to another machine, so no key is sent to it", url=url
                ),
                "use its https address",
            )
    except ArcrunError as error:
        yield Check(
            "base URL", "fail", str(error), sentence("change {origin}", origin=base_url.origin)
        )
    yield _key_setting(key)
    try:
        chosen = check_format(credentials.value, credentials.origin)
        yield Check(
            "credential format",
            "ok",
            sentence("{value} from {origin}", value=chosen, origin=credentials.origin),
        )
    except ArcrunError as error:
        yield Check(
            "credential format",
            "fail",
            str(error),
            sentence("change {origin}", origin=credentials.origin),
        )


def _key_setting(key: Setting) -> Check:
    if key.value is None:
        return Check(
            "API key", "fail", sentence("there is none"), "acr login, or set ARCRUN_API_KEY"
        )
    try:
        check_key(Secret(key.value if isinstance(key.value, str) else ""), key.origin)
    except ArcrunError as error:
        return Check("API key", "fail", str(error), "acr login")
    return Check(
        "API key",
        "ok",
        sentence("{value} from {origin}", value=shown_key(key.value), origin=key.origin),
    )


def _network(url: str) -> Iterator[Check]:
    """Check the proxy and the name of the engine's host; TLS shows in the request that follows."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    proxy = proxy_for(httpx.URL(url))
    if proxy:
        shown = httpx.URL(proxy)
        yield Check(
            "proxy",
            "ok",
            sentence(
                "{value} from {origin}",
                value=f"{shown.scheme}://{shown.host}:{shown.port or ''}",
                origin=sentence("the environment"),
            ),
        )
        return  # the proxy looks up the name
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        addresses = {
            str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        }
    except OSError as error:
        yield Check(
            "name of the host", "fail", sentence("{host} is not found: {reason}", host=host, reason=error.strerror),
            "check the base URL and the network; behind a proxy set HTTPS_PROXY",
        )  # fmt: skip
        return
    yield Check("name of the host", "ok", f"{host} → {', '.join(sorted(addresses))}")


def _engine(profile: str | None, *, has_key: bool) -> Iterator[Check]:
    with client_of(profile) as client:
        began = time.time()
        try:
            response = client.with_raw_response(client.health)(timeout=_TIMEOUT, max_retries=0)
        except ArcrunError as error:
            failure = command_error(error)
            yield Check("engine", "fail", failure.message, "is it running, and the base URL right?")
            return
        health = response.result
        found = sentence("version {version}", version=health.get("bundle_version", "?"))
        capabilities = health.get("capabilities")
        if capabilities is None:
            yield Check(
                "engine", "warn", sentence("{version}; it names no capabilities", version=found),
                "runs, prompt recipes and sealed credentials are not there; "
                "credentials need ARCRUN_CREDENTIAL_FORMAT=plain",
            )  # fmt: skip
        else:
            yield Check(
                "engine",
                "ok",
                sentence(
                    "{version}: {capabilities}", version=found, capabilities=", ".join(capabilities)
                ),
            )
        yield from _clock(response.headers.get("date"), began, time.time())
        if has_key:
            try:
                account = account_of(client)
            except ArcrunError as error:
                is_of_key = isinstance(error, (AuthenticationError, PermissionDeniedError))
                cure = "acr login" if is_of_key else "is it running, and the base URL right?"
                yield Check("key at the engine", "fail", command_error(error).message, cure)
            else:
                whose = (account or {}).get("email") or (account or {}).get("account") or ""
                yield Check(
                    "key at the engine",
                    "ok",
                    sentence("accepted, of {whose}", whose=whose)
                    if whose
                    else sentence("accepted"),
                )


def _clock(date: str | None, began: float, ended: float) -> Iterator[Check]:
    """Compare the clocks. The engine wrote the date, in whole seconds, between the request and the end of its response."""
    if date is None:
        return
    try:
        written = parsedate_to_datetime(date).timestamp()
    except (ValueError, OverflowError):
        return
    ahead, behind = began - (written + 1), written - ended
    skew = round(ahead) if ahead > 0 else -round(behind) if behind > 0 else 0
    if abs(skew) <= _SKEW:
        yield Check("clock", "ok", sentence("{seconds} s from the engine's", seconds=abs(skew)))
        return
    far = (
        sentence("{seconds} s ahead of the engine's", seconds=skew)
        if skew > 0
        else sentence("{seconds} s behind the engine's", seconds=-skew)
    )
    yield Check(
        "clock", "warn", sentence("{far}: signed webhooks and tokens may be refused", far=far),
        "set this machine's clock",
    )  # fmt: skip
