"""The errors of commands: one shape for the command line and for MCP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from arcrun._core.advice import advice_of
from arcrun._core.errors import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    ArcrunError,
    ConfigurationError,
    InsecureTransportError,
    InvalidArgumentError,
    MissingSecretError,
    RecipeChangedError,
    RecipeOriginError,
    TokenExchangeError,
    UnexpectedResponseError,
    WorkflowPaused,
    WorkflowRunError,
)

from .engine_words import message_of, step_of
from .next_steps import Next

__all__ = ["CommandError", "Next", "command_error"]


class CommandError(Exception):
    """A command that failed.

    Attributes:
        code: the engine's error code, or one of `docs/cli.md#error-codes`.
        message: what is wrong, where, and what to do.
        next: what can be done next.
        details: faults, each with a `message`, and `line` and `column` where the input has such a place.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        next: Sequence[Next] = (),  # noqa: A002 - the word of the JSON
        details: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.next = list(next)
        self.details = [dict(detail) for detail in details]


# What an error of the SDK is called here. The codes of the engine are those of docs/contract.md#errors.
_LOCAL_CODES: tuple[tuple[type[ArcrunError], str], ...] = (
    (APITimeoutError, "timeout"),
    (APIConnectionError, "unreachable"),
    (InsecureTransportError, "insecure_transport"),
    (ConfigurationError, "invalid_configuration"),
    (MissingSecretError, "missing_secret"),
    (RecipeOriginError, "untrusted_recipe"),
    (RecipeChangedError, "untrusted_recipe"),
    (TokenExchangeError, "token_exchange_failed"),
    (InvalidArgumentError, "invalid_argument"),
    (WorkflowPaused, "run_paused"),
    (UnexpectedResponseError, "unexpected_response"),
)
# What follows the problem, by the remedy that the SDK names: where its own advice is a method or an option in Python.
_REMEDIES = {
    "api_key": (
        ": set ARCRUN_API_KEY, or write `api_key: ak_…` to ~/.arcrun/config.yaml; keys come from https://arcrun.dev"
    ),
    "allow_insecure_http": " in the base URL, or reach the engine through a tunnel that ends on this machine",
    "credential_format": (
        ". This engine takes no credentials that were encrypted here. To send them as they are, over TLS, set "
        "ARCRUN_CREDENTIAL_FORMAT=plain, or write `credential_format: plain` to ~/.arcrun/config.yaml"
    ),
    "dns": ". No address is known for this host: check the base URL (ARCRUN_BASE_URL) and the network",
    "refused": ". Nothing listens there: is the engine running, and is the port of the base URL right?",
    "certificate": (
        ". The certificate is not trusted: check the base URL; SSL_CERT_FILE names the certificates of an authority of "
        "your own"
    ),
    "tls": ". No TLS is spoken there: write http:// in the base URL if the engine has no certificate",
    "proxy": ". Check the proxy (HTTPS_PROXY, HTTP_PROXY, ALL_PROXY), or list the host in NO_PROXY",
    "timeout": ". Check the base URL and the network, or try again later",
    "max_connections": ". Try again when other calls have ended",
}
_CODE_OF_REMEDY = {"api_key": "missing_api_key", "credential_format": "sealed_unsupported"}
_COMMAND_OF_REMEDY = {
    "auth.list_services": Next("see the names", "services"),
    "components.list": Next("see the names", "components list"),
    "recipes.list": Next("see the names", "recipe list"),
    "runs.list": Next("see the runs", "runs list"),
    "api_key": Next("log in", "login"),
    "base_url": Next("see which settings count", "auth status"),
}


def command_error(error: ArcrunError) -> CommandError:
    """Return what a command says of an error of the SDK.

    Example:
        >>> command_error(InvalidArgumentError("no such kind")).code
        'invalid_argument'
    """
    problem, remedy, _ = advice_of(error)
    message = problem + _REMEDIES.get(remedy, "")
    steps = [_COMMAND_OF_REMEDY[remedy]] if remedy in _COMMAND_OF_REMEDY else []
    if isinstance(error, APIStatusError):
        code = error.code or ("run_failed" if isinstance(error, WorkflowRunError) else "refused")
        message = message.replace(error.message, message_of(error.message, error.request_id))
        if code == "missing_api_key" and remedy != "api_key":
            message += _REMEDIES["api_key"]
        steps = steps or [step for step in map(step_of, error.next_actions) if step]
        details = error.details
    else:
        code = next((code for kind, code in _LOCAL_CODES if isinstance(error, kind)), "failed")
        steps = steps or _advice(error)
        details = []
    code = _CODE_OF_REMEDY.get(remedy, code)
    return CommandError(code, message, next=steps, details=details)


def _advice(error: ArcrunError) -> list[Next]:
    if isinstance(error, ConfigurationError):
        return [Next("see which settings count", "auth status")]
    if isinstance(error, APIConnectionError):
        return [Next("check the engine and the settings", "doctor")]
    if isinstance(error, MissingSecretError) and advice_of(error).path:
        return [Next("store them", "setup", tuple(map(str, advice_of(error).path)))]
    if isinstance(error, WorkflowPaused) and error.task_id:
        return [Next("resume the run", "runs resume", (error.task_id,))]
    return []
