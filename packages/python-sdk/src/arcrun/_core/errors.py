"""Every error that the SDK raises. All derive from `ArcrunError`; none ever holds a secret."""

from __future__ import annotations

from typing import Any


class ArcrunError(Exception):
    """The base of every error of this SDK.

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


class ConfigurationError(ArcrunError):
    """The key, base URL, credential format or config file is missing or malformed."""


class InvalidArgumentError(ArcrunError, ValueError):
    """An argument was refused before any request was made."""


class InsecureTransportError(ArcrunError):
    """A keyed request over http:// to a host that is not loopback was refused."""


class APIConnectionError(ArcrunError):
    """The engine could not be reached, or the connection broke off.

    `__cause__` is an exception of httpx of the same kind as the original, without its traceback.
    """


class APITimeoutError(APIConnectionError):
    """The engine did not answer in time."""


class UnexpectedResponseError(ArcrunError):
    """The answer is not what the contract promises (no JSON, another shape, a redirect)."""


class MissingSecretError(ArcrunError):
    """A secret that `bind` or `get_token` needs was found nowhere.

    Attributes:
        missing: the keys that were not found.
    """

    missing: tuple[str, ...] = ()


class RecipeOriginError(ArcrunError):
    """A recipe would send secrets to an origin that is not known to be the service's own."""


class TokenExchangeError(ArcrunError):
    """The service's token endpoint did not give an access token."""


class WorkflowPaused(ArcrunError):
    """The run waits for a callback (CONTRACT.md §2); `POST /workflows/resume` carries it on.

    Attributes:
        task_id: what the resume call names.
        run_id: the run's id, where the engine tells it.
        node: the node that waits, where the engine tells it.
    """

    task_id: str | None = None
    run_id: str | None = None
    node: str | None = None


class APIStatusError(ArcrunError):
    """The engine answered with an error.

    Attributes:
        status: the HTTP status.
        code: the engine's error code, such as `workflow_not_found`, if it gave one.
        message: the engine's own words.
        request_id: the answer's `X-Request-Id`, if there was one.
        body: the raw body; secrets of the call are blanked out.
        requires: what the engine says is needed, if it does.
        details: places in the input, each with at least a `message`.
        next_actions: what the engine suggests to do.
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
    """400: the engine refused the request as it was written."""


class SealedCredentialsUnsupportedError(BadRequestError):
    """The engine takes plain credentials only; `credential_format="plain"` is the opt-in."""


class AuthenticationError(APIStatusError):
    """401: the API key is missing, unknown or revoked."""


class PermissionDeniedError(APIStatusError):
    """403: the key may not do this."""


class NotFoundError(APIStatusError):
    """404: there is no such thing."""


class UnknownServiceError(NotFoundError):
    """404: there is no auth recipe for this service."""


class ConflictError(APIStatusError):
    """409: it conflicts with something that exists."""


class RateLimitError(APIStatusError):
    """429: too many requests, also after the retries."""


class ServerError(APIStatusError):
    """5xx: the engine failed, also after the retries."""


class WorkflowRunError(APIStatusError):
    """The workflow itself failed. It is never retried.

    `failed_input` and `trace` may hold run data: they are attributes only, and not pickled.

    Attributes:
        failed_node: the node that failed, if known.
        failed_input: what it was given.
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
