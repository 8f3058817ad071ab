"""A number that is too large in between is an error of the node, in words for the workflow's author."""

from __future__ import annotations

from typing import Any

import pytest

from arcrun_server.components import number_ops
from arcrun_server.engine import ComponentError


@pytest.mark.parametrize(
    ("operation", "given"),
    [
        ("average", {"values": [1e308, 1e308]}),
        ("root", {"a": 10**399}),
        ("integer_divide", {"a": 10**399, "b": 0.5}),
    ],
)
async def test_an_overflow_in_between_is_explained(operation: str, given: dict[str, Any]) -> None:
    invocation: Any = None
    with pytest.raises(ComponentError, match=f"`{operation}` meets a number that is too large"):
        await number_ops.run({"operation": operation, **given}, invocation)
