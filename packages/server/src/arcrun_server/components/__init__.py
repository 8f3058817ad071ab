"""The components: one file each, registered with their contract (docs/contract.md#components).

Example:
    >>> from arcrun_server.components import Registry
    >>> from arcrun_server.outbound import Outbound
    >>> registry = Registry(Outbound(development=True))
    >>> registry.contract("hash")["category"]
    'logic'
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .contract import ComponentContract
    from .registry import Registry

__all__ = ["ComponentContract", "Registry"]


def __getattr__(name: str) -> Any:
    """Import the registry when it is asked for: a worker needs one component, and not all that the others import."""
    if name == "Registry":
        from .registry import Registry  # noqa: PLC0415 - as said

        return Registry
    if name == "ComponentContract":
        from .contract import ComponentContract  # noqa: PLC0415 - as said

        return ComponentContract
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
