"""Requests that have no method of their own: what may be sent as a body."""

from __future__ import annotations

from typing import Any

import pytest

from arcrun._core import operations
from arcrun._core.errors import InvalidArgumentError


@pytest.mark.parametrize("body", [[], "text", 0, False])
def test_a_body_that_is_no_mapping_is_refused(body: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="body must be a mapping"):
        operations.own_request("POST", "/runs", body, with_key=True)


@pytest.mark.parametrize("body", [None, {}, {"a": 1}])
def test_a_mapping_or_no_body_is_sent(body: Any) -> None:
    assert operations.own_request("POST", "/runs", body, with_key=True).body == body
