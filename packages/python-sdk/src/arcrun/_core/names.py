"""Names, checked before any request is made."""

from __future__ import annotations

import re
from urllib.parse import quote

from .advice import advised
from .errors import InvalidArgumentError

_CREDENTIAL = r"[A-Za-z0-9_]{1,128}"
_SERVICE = r"[a-z0-9_][a-z0-9_-]*"
_WORKFLOW = r"[A-Za-z0-9_-]{1,128}"
_COMPONENT = r"[A-Za-z][A-Za-z0-9_-]{0,127}"
_IDEMPOTENCY_KEY = r"[!-~]{1,128}"
_RESERVED = frozenset({"catalog"})  # GET /credentials/catalog is the list on the deployed engine


def can_be_credential(name: object) -> bool:
    """Tell whether a credential can have a name."""
    return _fits(_CREDENTIAL, name)


def check_credential(name: str) -> str:
    """Return the credential's name if it is valid (docs/contract.md#credentials)."""
    problem = credential_problem(name)
    if problem:
        raise InvalidArgumentError(problem)
    return name


def credential_problem(name: str) -> str:
    """Return why a credential can't have a name, without the name: it may be the secret; "" if it can."""
    if not can_be_credential(name):
        return (
            f"{_hidden(name)} is not a valid credential name: use letters A-Z a-z, digits and _ only, at "
            "most 128 (the name comes first, then the value)"
        )
    if name.lower() in _RESERVED:
        return f"{name!r} is a reserved name: choose another name for the credential"
    return ""


def _named(problem: str, method: str, what: str) -> InvalidArgumentError:
    error = InvalidArgumentError(f"{problem}; client.{method}() lists the {what}")
    return advised(error, problem, method)


def check_account(account: str | None) -> str | None:
    """Return the account's name if it is valid."""
    if account is not None and not can_be_credential(account):
        raise InvalidArgumentError(
            f"{_hidden(account)} is not a valid account name: use letters A-Z a-z, digits and _ only, at "
            "most 128"
        )
    return account


def check_service(service: str) -> str:
    """Return the service's name if it is valid."""
    if not _fits(_SERVICE, service):
        raise _named(
            f"{_shown(service)} is not a valid service name: use lower-case letters, digits, _ and - only",
            "auth.list_services",
            "services",
        )
    return service


def check_workflow(name: str) -> str:
    """Return the workflow's name if it is valid (docs/contract.md#routes)."""
    if not _fits(_WORKFLOW, name):
        raise InvalidArgumentError(
            f"{_shown(name)} is not a valid workflow name: use letters A-Z a-z, digits, _ and - only, "
            "at most 128 (the description and the names of nodes may be in any script)"
        )
    return name


def check_component(name: str) -> str:
    """Return the component's id if it is valid (docs/contract.md#component-catalog)."""
    if not _fits(_COMPONENT, name):
        raise _named(
            f"{_shown(name)} is not a valid component id: use a letter A-Z a-z, then letters, digits, _ "
            "and -, at most 128",
            "components.list",
            "components",
        )
    return name


def check_idempotency_key(key: str | None) -> str | None:
    """Return the idempotency key if a header can carry it."""
    if key is not None and not _fits(_IDEMPOTENCY_KEY, key):
        raise InvalidArgumentError("idempotency_key must be 1 to 128 visible ASCII characters")
    return key


def credential_name(key: str, account: str | None) -> str:
    """Return the name of the credential that holds a service's secret, for one of its accounts."""
    return key if account is None else f"{key}__{account}"


def variable(name: str) -> str:
    """Return the name of the environment variable that may hold a credential."""
    return f"ARCRUN_SECRET_{name.upper()}"


def in_path(name: str) -> str:
    """Return a name as one segment of a path, percent-encoded."""
    return quote(name, safe="")


def nearest(word: str, known: list[str]) -> str:
    """Return `; did you mean …?` for an error message, or nothing if no known word is similar."""
    from difflib import get_close_matches

    found = get_close_matches(word, known, n=1)
    return f"; did you mean {found[0]!r}?" if found else ""


def _fits(pattern: str, name: object) -> bool:
    return isinstance(name, str) and re.fullmatch(pattern, name) is not None


def _hidden(name: object) -> str:
    """Return what an error message says of a name that is not shown: it may be a secret in its place."""
    if isinstance(name, str):
        return f"a text of {len(name)} characters"
    return f"a value of type {type(name).__name__}"


def _shown(name: object) -> str:
    """Return a name as an error message shows it: not if it is long, since it may be a secret."""
    if isinstance(name, str):
        return repr(name) if len(name) <= 80 else "a text of more than 80 characters"
    return f"a value of type {type(name).__name__}"
