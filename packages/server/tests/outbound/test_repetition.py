"""The header by which a service can tell that it has done what it is asked for."""

from __future__ import annotations

import pytest

from arcrun_server.outbound.repetition import with_repeat_key


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_request_that_changes_something_carries_the_key(method: str) -> None:
    assert with_repeat_key({"a": "b"}, method, "k-1") == {"a": "b", "Idempotency-Key": "k-1"}


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_one_that_changes_nothing_carries_none(method: str) -> None:
    assert with_repeat_key({"a": "b"}, method, "k-1") == {"a": "b"}


def test_a_run_that_is_not_repeated_has_no_key() -> None:
    assert with_repeat_key({"a": "b"}, "POST", None) == {"a": "b"}


@pytest.mark.parametrize("name", ["Idempotency-Key", "idempotency-key", "IDEMPOTENCY-KEY"])
def test_a_node_s_own_key_counts(name: str) -> None:
    assert with_repeat_key({name: "own"}, "POST", "k-1") == {name: "own"}


def test_what_the_node_sends_is_not_changed() -> None:
    headers: dict[str, str] = {}
    with_repeat_key(headers, "POST", "k-1")
    assert headers == {}
