"""Filling a node's templates: in a thread where it may take long, as others have to be responded to meanwhile."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from .sizes import TooLargeError
from .templates import fill

if TYPE_CHECKING:
    from .plan import PlannedNode
    from .scope import Scope

# What may be put in at once, in bytes.
_MUCH = 256 * 1024
# What a placeholder costs that puts in next to nothing, in bytes.
_LOOK_UP = 100


async def fill_data(node: PlannedNode, scope: Scope, context_bytes: int) -> Any:
    """Return a node's data with its templates filled.

    Args:
        node: The node.
        scope: What its templates see.
        context_bytes: At most so much can be put in for one placeholder.

    Raises:
        TooLargeError: More would be put in than a run allows.
    """
    if not node.has_templates:
        return node.data
    if node.placeholders * (context_bytes + _LOOK_UP) <= _MUCH:
        return fill(node.data, scope.look_up, scope.budget())
    if node.placeholders * _LOOK_UP <= _MUCH:
        # A large context does not mean that much of it is put in, and a thread costs ten times as much
        # as filling a few placeholders. What is put in is measured before it is written.
        try:
            return fill(node.data, scope.look_up, scope.budget(_MUCH))
        except TooLargeError:
            scope.unresolved.clear()
    return await asyncio.to_thread(fill, node.data, scope.look_up, scope.budget())
