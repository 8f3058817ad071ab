"""The Python SDK of arcrun, the workflow engine for people and AI agents."""

from typing import TYPE_CHECKING, Any

from ._core.backtest_types import BacktestAnswer, BacktestedRecipe, BacktestRun, MessageDiff
from ._core.errors import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    ArcrunError,
    ArcrunWarning,
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    ConflictError,
    InsecureTransportError,
    InvalidArgumentError,
    MissingSecretError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    RecipeChangedError,
    RecipeOriginError,
    SealedCredentialsUnsupportedError,
    ServerError,
    TokenExchangeError,
    UnexpectedResponseError,
    UnknownServiceError,
    WorkflowPaused,
    WorkflowRunError,
    WorkflowWarning,
)
from ._core.events import RunEvent
from ._core.recipe_types import (
    DeletedRecipe,
    LabeledRecipe,
    PromptMessage,
    PromptRange,
    PushedRecipe,
    RecipeDiff,
    RecipeKind,
    RecipeLabel,
    RecipeSummary,
    RecipeTest,
    RecipeVersion,
    RemovedLabel,
    RenderedRecipe,
    StoredRecipe,
    TestedRecipe,
)
from ._core.types import (
    AcceptedRun,
    AuthRecipe,
    Component,
    ComponentResult,
    Credential,
    DeletedCredential,
    DeletedWorkflow,
    Execution,
    Health,
    PushedCredential,
    PushedWorkflow,
    RawResponse,
    RequiredSecret,
    ResumedRun,
    Run,
    RunResult,
    RunStatus,
    RunSummary,
    RunWarning,
    SetupResult,
    Workflow,
    WorkflowSummary,
)
from ._version import __version__

if TYPE_CHECKING:
    from ._async.client import AsyncArcrun
    from ._sync.client import Arcrun

__all__ = [
    "APIConnectionError",
    "APIStatusError",
    "APITimeoutError",
    "AcceptedRun",
    "Arcrun",
    "ArcrunError",
    "ArcrunWarning",
    "AsyncArcrun",
    "AuthRecipe",
    "AuthenticationError",
    "BacktestAnswer",
    "BacktestRun",
    "BacktestedRecipe",
    "BadRequestError",
    "Component",
    "ComponentResult",
    "ConfigurationError",
    "ConflictError",
    "Credential",
    "DeletedCredential",
    "DeletedRecipe",
    "DeletedWorkflow",
    "Execution",
    "Health",
    "InsecureTransportError",
    "InvalidArgumentError",
    "LabeledRecipe",
    "MessageDiff",
    "MissingSecretError",
    "NotFoundError",
    "PermissionDeniedError",
    "PromptMessage",
    "PromptRange",
    "PushedCredential",
    "PushedRecipe",
    "PushedWorkflow",
    "RateLimitError",
    "RawResponse",
    "RecipeChangedError",
    "RecipeDiff",
    "RecipeKind",
    "RecipeLabel",
    "RecipeOriginError",
    "RecipeSummary",
    "RecipeTest",
    "RecipeVersion",
    "RemovedLabel",
    "RenderedRecipe",
    "RequiredSecret",
    "ResumedRun",
    "Run",
    "RunEvent",
    "RunResult",
    "RunStatus",
    "RunSummary",
    "RunWarning",
    "SealedCredentialsUnsupportedError",
    "ServerError",
    "SetupResult",
    "StoredRecipe",
    "TestedRecipe",
    "TokenExchangeError",
    "UnexpectedResponseError",
    "UnknownServiceError",
    "Workflow",
    "WorkflowPaused",
    "WorkflowRunError",
    "WorkflowSummary",
    "WorkflowWarning",
    "__version__",
]


if not TYPE_CHECKING:  # a type checker would take any name for one that is there

    def __getattr__(name: str) -> Any:
        """Load a client class when it is used: few programs need both, and importing httpx takes time."""
        if name == "Arcrun":
            from ._sync.client import Arcrun

            return Arcrun
        if name == "AsyncArcrun":
            from ._async.client import AsyncArcrun

            return AsyncArcrun
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


# A traceback says `arcrun.NotFoundError`: the name to import.
for _name in __all__:
    if isinstance(globals().get(_name), type):
        globals()[_name].__module__ = __name__


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
