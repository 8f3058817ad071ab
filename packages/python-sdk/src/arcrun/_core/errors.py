"""The errors of the SDK. All derive from `ArcrunError`; none holds a secret."""

from __future__ import annotations

from typing import Any


class ArcrunError(Exception):
    """The base class of every error of this SDK.

    Attributes:
        stored: names of the credentials that `auth.setup` had stored when it failed.

    Example:
        >>> try:
        ...     client.workflows.get("no_such")
        ... except ArcrunError as error:
        ...     print(type(error).__name__)
        NotFoundError
    """

    stored: tuple[str, ...] = ()


class ArcrunWarning(UserWarning):
    """The category of every warning of this SDK."""


class WorkflowWarning(ArcrunWarning):
    """A run went on although a placeholder had no value, or the engine warned of something else."""


class ConfigurationError(ArcrunError):
    """The API key, base URL, credential format or config file is missing or malformed."""


class InvalidArgumentError(ArcrunError, ValueError):
    """An argument is not valid. No request was made."""


class InsecureTransportError(ArcrunError):
    """The API key would be sent over plain http to a host other than loopback."""


class APIConnectionError(ArcrunError):
    """The engine could not be reached, or the connection was lost.

    `__cause__` is httpx's exception, without its traceback.
    """


class APITimeoutError(APIConnectionError):
    """The engine did not respond in time."""


class UnexpectedResponseError(ArcrunError):
    """The response is not what the contract promises: not JSON, another shape, a redirect."""


class MissingSecretError(ArcrunError):
    """A secret that `bind` or `get_token` needs was not found.

    Attributes:
        missing: the keys that were not found.
    """

    missing: tuple[str, ...] = ()


class RecipeOriginError(ArcrunError):
    """An auth recipe would send secrets to an origin that is not known to be the service's own."""


class RecipeChangedError(ArcrunError):
    """A shipped service's auth recipe is not the one that the SDK knows: no secret was used."""


class TokenExchangeError(ArcrunError):
    """The service's token endpoint did not return an access token."""


class WorkflowPaused(ArcrunError):
    """The run waits for a callback; a request to `POST /workflows/resume` resumes it (`client.request`).

    Attributes:
        task_id: the task to name when it is resumed.
        run_id: the run's id, if the engine reports it.
        node: the node that waits, if the engine reports it.
    """

    task_id: str | None = None
    run_id: str | None = None
    node: str | None = None


class APIStatusError(ArcrunError):
    """The engine responded with an error.

    Attributes:
        status: the HTTP status.
        code: the engine's error code, such as `workflow_not_found`, if there is one.
        message: the engine's own message.
        request_id: the response's `X-Request-Id`, if there is one.
        body: the raw body; secrets of the request are blanked out.
        requires: what the engine says is needed, if it says so.
        details: faults in the input, each with at least a `message`.
        next_actions: what the engine suggests.
    """

    def __init__(
        self,
        text: str,
        *,
        status: int = 0,
        code: str | None = None,
        message: str = "",
        request_id: str | None = None,
        body: str = "",
        requires: Any = None,
        details: list[dict[str, Any]] | None = None,
        next_actions: list[str] | None = None,
    ) -> None:
        super().__init__(text)
        self.status = status
        self.code = code
        self.message = message or text
        self.request_id = request_id
        self.body = body
        self.requires = requires
        self.details = details or []
        self.next_actions = next_actions or []


class BadRequestError(APIStatusError):
    """400: the engine refused the request."""


class SealedCredentialsUnsupportedError(BadRequestError):
    """The engine accepts plain credentials only; `credential_format="plain"` is the opt-in."""


class AuthenticationError(APIStatusError):
    """401: the API key is missing, unknown or revoked."""


class PermissionDeniedError(APIStatusError):
    """403: the key may not do this."""


class NotFoundError(APIStatusError):
    """404: the resource does not exist."""


class UnknownServiceError(NotFoundError):
    """404: there is no auth recipe for this service."""


class ConflictError(APIStatusError):
    """409: the request conflicts with something that exists.

    Attributes:
        newest_version: the version that is the newest one of a recipe, where another was expected; 0 if there is no
            such recipe, None if the engine names none.
    """

    newest_version: int | None = None


class RateLimitError(APIStatusError):
    """429: too many requests, even after the retries."""


class ServerError(APIStatusError):
    """5xx: the engine failed, even after the retries."""


class WorkflowRunError(APIStatusError):
    """The workflow itself failed. It is never retried.

    `failed_input` and `trace` may hold data of the run, so they are attributes only, and not pickled.

    Attributes:
        failed_node: the node that failed, if known.
        failed_input: the node's input.
        trace: what ran before.
        duration_ms: how long the run took, in milliseconds.
    """

    failed_node: str | None = None
    failed_input: Any = None
    trace: tuple[dict[str, Any], ...] = ()
    duration_ms: float | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        state = {
            key: value
            for key, value in self.__dict__.items()
            if key not in {"failed_input", "trace", "body"}
        }
        return type(self), (str(self),), {**state, "body": ""}


BY_STATUS: dict[int, type[APIStatusError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    429: RateLimitError,
}
