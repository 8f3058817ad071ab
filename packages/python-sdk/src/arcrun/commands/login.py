"""Log-in of this machine (RFC 8628), and the key in the config file."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from arcrun import Arcrun
from arcrun._core.config import VARIABLES, check_base_url, check_key
from arcrun._core.errors import NotFoundError
from arcrun._core.origins import is_secure
from arcrun._core.secret import Secret
from arcrun._local import read_config

from .answers import CommandClient
from .asking import Ask, Question
from .config_file import write_settings
from .errors import CommandError, Next
from .keyless import send
from .sentences import sentence
from .settings import CONFIG, chosen_settings, config_path, settings_of, shown_key

Report = Callable[[Mapping[str, Any]], None]
GRANT_TYPE = "urn:ietf:params:oauth:grant-type:device_code"
_SLOWER = 5  # seconds that `slow_down` adds to the interval (RFC 8628, section 3.5)
_LEAST = 0.05
_LONGEST_WAIT = 1800.0  # seconds, whatever an engine says
_LONGEST_NAME = 60
_REFUSALS = {
    "access_denied": sentence("the log-in was refused in the browser"),
    "expired_token": sentence("the code has expired before it was confirmed"),
}


def log_in(
    *,
    base_url: str | None = None,
    with_token: bool = False,
    profile: str | None = None,
    report: Report,
    ask: Ask,
) -> dict[str, Any]:
    """Log in with a browser, on this machine or another one, and keep the key in ~/.arcrun/config.yaml.

    Args:
        base_url: the engine; by default the one of the settings
        with_token: take a key from standard input or a prompt instead
    """
    url = check_base_url(base_url, "--base-url") if base_url else _base_url(profile)
    if not is_secure(url):
        raise CommandError(
            "insecure_transport",
            sentence(
                "{url} is plain http to another machine, where others could read the key: use https",
                url=url,
            ),
        )
    if with_token:
        key = ask([Question("api_key", "API key of " + url, "ak_ and 48 hex digits")])["api_key"]
        check_key(Secret(key), "standard input")
    else:
        key = _key_of_device(url, report)
    with CommandClient(key, base_url=url) as client:
        account = account_of(client)
    write_settings(Path(config_path()), profile, {"api_key": key, "base_url": url})
    result: dict[str, Any] = {"base_url": url, "api_key": shown_key(key), "config": CONFIG}
    if profile:
        result["profile"] = profile
    if account:
        result["account"] = account
    overriding = (
        []
        if profile
        else [VARIABLES[n] for n in ("api_key", "base_url") if os.environ.get(VARIABLES[n])]
    )
    if overriding:
        result["warning"] = sentence(
            "{names} in the environment count before this: unset them",
            names=" and ".join(overriding),
        )
    return result


def log_out(*, profile: str | None = None, dry_run: bool = False) -> dict[str, Any]:
    """Remove the key from ~/.arcrun/config.yaml. The key stays valid: `acr auth revoke` ends it.

    Args:
        dry_run: only say whether there is one
    """
    path = Path(config_path())
    if profile:
        settings_of(profile)
    was = _in_file(profile)
    if was is not None and not dry_run:
        write_settings(path, profile, {"api_key": None})
    return {
        "removed": was is not None and not dry_run,
        "config": CONFIG,
        **({"api_key": shown_key(was), "dry_run": True} if dry_run else {}),
        **({"profile": profile} if profile else {}),
    }


def account_of(client: Arcrun) -> dict[str, Any] | None:
    """Return the account of the client's key; None if the engine does not tell.

    Raises:
        APIStatusError: the engine refuses the key.
    """
    try:
        return client.request("GET", "/me")
    except NotFoundError:
        client.creds.list()  # an engine without accounts: still refuse a wrong key here
        return None


def _in_file(profile: str | None) -> object:
    return settings_of(profile).get("api_key") if profile else read_config(None).get("api_key")


def _base_url(profile: str | None) -> str:
    try:
        url = chosen_settings(profile)["base_url"]
    except CommandError:  # a profile that is to be made
        url = chosen_settings(None)["base_url"]
    return check_base_url(url.value, url.origin)


def _key_of_device(url: str, report: Report) -> str:
    """Return the key that the person gives this machine in a browser.

    Raises:
        CommandError: the engine has no log-in of devices, or the person refused.
    """
    if "device_login" not in send("GET", f"{url}/health").body.get("capabilities", []):
        raise CommandError(
            "unsupported",
            sentence(
                "{url} has no log-in of devices (device_login): copy a key from its site", url=url
            ),
            next=[Next("keep a key that you have", "login", ("--with-token",))],
        )
    body = {"client_name": f"acr on {platform.node()}"[:_LONGEST_NAME]}
    begun = send("POST", f"{url}/auth/device/code", body)
    if not begun.is_success:
        raise begun.error(f"POST {url}/auth/device/code")
    shown = ("verification_uri", "verification_uri_complete", "user_code", "expires_in")
    report(
        {"type": "device_code", "base_url": url, **{name: begun.body.get(name) for name in shown}}
    )
    return _poll(url, begun.body)


def _poll(url: str, begun: Mapping[str, Any]) -> str:
    """Ask for the key, no more often than the engine allows, until the person has decided."""
    interval = max(float(5 if begun.get("interval") is None else begun["interval"]), _LEAST)
    deadline = time.monotonic() + min(float(begun["expires_in"]), _LONGEST_WAIT)
    body = {"grant_type": GRANT_TYPE, "device_code": begun["device_code"]}
    while time.monotonic() < deadline:
        time.sleep(interval)
        reply = send("POST", f"{url}/auth/device/token", body)
        if reply.is_success:
            return str(reply.body["access_token"])
        code = reply.body.get("error")
        if code == "slow_down":
            interval += _SLOWER
        elif code != "authorization_pending":
            raise _refused(str(code), reply.error(f"POST {url}/auth/device/token"))
    raise _refused("expired_token", None)


def _refused(code: str, error: CommandError | None) -> CommandError:
    if code not in _REFUSALS and error is not None:
        return error
    return CommandError(code, _REFUSALS[code], next=[Next("log in again", "login")])
