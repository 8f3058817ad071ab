"""Names are checked before any request is made (CONTRACT.md §2 and §3)."""

from __future__ import annotations

import re
from urllib.parse import quote

from .errors import InvalidArgumentError

_CREDENTIAL = r"[A-Za-z0-9_]+"
_SERVICE = r"[a-z0-9_][a-z0-9_-]*"
_WORKFLOW = r"[A-Za-z0-9_-]+"
_RESERVED = frozenset({"catalog"})  # GET /credentials/catalog is the list on the deployed engine


def check_credential(name: str) -> str:
    """Return the credential's name, or say what is wrong with it."""
    if not _fits(_CREDENTIAL, name):
        raise InvalidArgumentError(
            f"{_shown(name)} is no name for a credential: use letters A-Z a-z, digits and _ only"
        )
    if name.lower() in _RESERVED:
        raise InvalidArgumentError(
            f"{name!r} is a reserved name: choose another for the credential"
        )
    return name


def check_account(account: str | None) -> str | None:
    """Return the account's name, or say what is wrong with it."""
    if account is not None and not _fits(_CREDENTIAL, account):
        raise InvalidArgumentError(
            f"{_shown(account)} is no name for an account: use letters A-Z a-z, digits and _ only"
        )
    return account


def check_service(service: str) -> str:
    """Return the service's name, or say what is wrong with it."""
    if not _fits(_SERVICE, service):
        raise InvalidArgumentError(
            f"{_shown(service)} is no name of a service: lower-case letters, digits, _ and - only; "
            "client.auth.list_services() lists them"
        )
    return service


def check_workflow(name: str) -> str:
    """Return the workflow's name, or say what is wrong with it."""
    if not _fits(_WORKFLOW, name):
        raise InvalidArgumentError(
            f"{_shown(name)} is no name for a workflow: use letters A-Z a-z, digits, _ and - (its "
            "description and its nodes may be named in any script)"
        )
    return name


def credential_name(key: str, account: str | None) -> str:
    """Name the credential that holds a service's secret, for one account of several."""
    return key if account is None else f"{key}__{account}"


def variable(name: str) -> str:
    """Name the environment variable that may hold a credential."""
    return f"ARCRUN_SECRET_{name.upper()}"


def in_path(name: str) -> str:
    """Percent-encode a name as one segment of a path."""
    return quote(name, safe="")


def nearest(word: str, known: list[str]) -> str:
    """Say `; did you mean …?`, or nothing if nothing is near."""
    from difflib import get_close_matches

    found = get_close_matches(word, known, n=1)
    return f"; did you mean {found[0]!r}?" if found else ""


def _fits(pattern: str, name: object) -> bool:
    return isinstance(name, str) and re.fullmatch(pattern, name) is not None


def _shown(name: object) -> str:
    return repr(name) if isinstance(name, str) and len(name) <= 80 else f"a {type(name).__name__}"
