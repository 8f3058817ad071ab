"""Say what the programs of a rehearsal get of their caller's environment: what they need, and nothing else.

A setting of the caller (an npmrc, a proxy, `TWINE_…`, `NODE_OPTIONS`) could send an upload with a real token to
another server, or change what is built and tested. So the rehearsal replaces its own environment at its start,
and only programs that download what a lock file names, with its hash, get the caller's network settings.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import re
import sysconfig
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

# Marks every process of a rehearsal. Not ARCRUN_…: the suite removes such variables from its adapters.
MARK = "REHEARSAL_MARK"

_KEPT = (MARK, "TMPDIR", "CHROMIUM")
_KEPT_ON_WINDOWS = ("SYSTEMROOT", "COMSPEC", "PATHEXT", "TEMP", "TMP", "NUMBER_OF_PROCESSORS")
_CONSTANT = {
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    # npm would leave one in the system's folder for temporary files.
    "NODE_DISABLE_COMPILE_CACHE": "1",
}

# By which proxy the machine reaches others, with which certificates.
_FOR_REMOTE = (
    r"(HTTPS?|ALL|NO)_PROXY"
    r"|SSL_CERT_(FILE|DIR)|NODE_EXTRA_CA_CERTS|(REQUESTS|CURL)_CA_BUNDLE|DENO_(CERT|TLS_CA_STORE)"
)
# Where the machine gets packages from as well; and the caches.
_FOR_DOWNLOADS = (
    r"HOME|USERPROFILE|APPDATA|LOCALAPPDATA|XDG_(CACHE|CONFIG|DATA)_HOME|NETRC"
    r"|UV_(CACHE_DIR|CONFIG_FILE|DEFAULT_INDEX|(EXTRA_)?INDEX(_URL)?|INDEX_\w+_(USERNAME|PASSWORD)"
    r"|FIND_LINKS|INSECURE_HOST|KEYRING_PROVIDER|NATIVE_TLS|SYSTEM_CERTS|OFFLINE|HTTP_TIMEOUT)"
    r"|NPM_CONFIG_(REGISTRY|(HTTPS?_)?PROXY|NOPROXY|CA|CAFILE|STRICT_SSL|CACHE|OFFLINE"
    r"|USERCONFIG|GLOBALCONFIG|//.*)"
)


class NotLoopback(Exception):
    """Something would be sent to another machine; the message names the address."""


def neutral(home: Path) -> dict[str, str]:
    """Return an environment that is the same on every machine, but for the search path.

    Args:
        home: An empty folder, in place of the caller's home and the settings there.
    """
    names = _KEPT + (_KEPT_ON_WINDOWS if os.name == "nt" else ())
    kept = {name: os.environ[name] for name in names if name in os.environ}
    path = os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", os.defpath)])
    homes = {"HOME": str(home), "USERPROFILE": str(home)}
    return {**kept, **_CONSTANT, **homes, "PATH": path}


def for_downloads(caller: Mapping[str, str]) -> dict[str, str]:
    """Return the caller's variables that decide where and how packages are downloaded."""
    return _matching(f"{_FOR_REMOTE}|{_FOR_DOWNLOADS}", caller)


def for_remote(caller: Mapping[str, str]) -> dict[str, str]:
    """Return the caller's variables that decide how other machines are reached: proxies, certificates."""
    return _matching(_FOR_REMOTE, caller)


def _matching(pattern: str, caller: Mapping[str, str]) -> dict[str, str]:
    wanted = re.compile(pattern, re.IGNORECASE)
    return {name: value for name, value in caller.items() if wanted.fullmatch(name)}


def isolate(home: Path) -> dict[str, str]:
    """Replace the environment of this process, which its programs inherit; return what downloads need."""
    downloads, environment = for_downloads(os.environ), neutral(home)
    home.mkdir()
    os.environ.clear()
    os.environ.update(environment)
    os.umask(0o022)
    if hasattr(time, "tzset"):
        time.tzset()
    return downloads


@contextlib.contextmanager
def isolated(home: Path) -> Iterator[dict[str, str]]:
    """Do what `isolate` does for as long as the context is open; it gives what downloads need."""
    caller, mask = dict(os.environ), os.umask(0o022)
    try:
        yield isolate(home)
    finally:
        os.environ.clear()
        os.environ.update(caller)
        os.umask(mask)
        if hasattr(time, "tzset"):
            time.tzset()


def require_loopback(url: str) -> None:
    """Check that a URL names this machine, by an address that no resolver can change.

    Raises:
        NotLoopback: It names another one, or a name that is still to be resolved.
    """
    host = urlsplit(url).hostname or ""
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise NotLoopback(f"a rehearsal uploads to this machine only, and {url} is not on loopback")
