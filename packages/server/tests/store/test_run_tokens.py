"""What an invocation is called outside of its run: unguessable, the same each time, and of that invocation only."""

from __future__ import annotations

import pytest

from arcrun_server.sealing.server_key import ServerKey
from arcrun_server.store.run_tokens import Callback, RunTokens, waiting_at

RUN, OTHER = "a" * 32, "b" * 32
TOKENS = RunTokens(ServerKey(bytes(32)))
OTHER_SERVER = RunTokens(ServerKey(bytes([1]) * 32))


@pytest.mark.parametrize("place", ["ask", "審核", "each[3]/ask", "\ud800", ""])
def test_a_token_leads_back_to_its_invocation(place: str) -> None:
    assert TOKENS.read(TOKENS.write(RUN, place)) == Callback(RUN, waiting_at(place))


def test_tokens_and_keys_are_the_same_each_time_that_a_run_is_executed() -> None:
    again = RunTokens(ServerKey(bytes(32)))
    assert again.write(RUN, "ask") == TOKENS.write(RUN, "ask")
    assert again.repeat_key(RUN, "ask") == TOKENS.repeat_key(RUN, "ask")
    assert again.run_under("acc", "k") == TOKENS.run_under("acc", "k")


def test_each_run_place_account_and_server_has_its_own() -> None:
    tokens = {
        TOKENS.write(RUN, "ask"),
        TOKENS.write(OTHER, "ask"),
        TOKENS.write(RUN, "ask2"),
        OTHER_SERVER.write(RUN, "ask"),
    }
    keys = {
        TOKENS.repeat_key(RUN, "ask"),
        TOKENS.repeat_key(OTHER, "ask"),
        TOKENS.repeat_key(RUN, "ask2"),
        OTHER_SERVER.repeat_key(RUN, "ask"),
    }
    runs = {
        TOKENS.run_under("acc", "k"),
        TOKENS.run_under("acc", "k2"),
        TOKENS.run_under("acc2", "k"),
        OTHER_SERVER.run_under("acc", "k"),
    }
    assert (len(tokens), len(keys), len(runs)) == (4, 4, 4)


def test_the_key_of_a_repetition_is_no_part_of_the_token() -> None:
    """A service that is sent the key must not be able to call back."""
    assert TOKENS.repeat_key(RUN, "ask") not in TOKENS.write(RUN, "ask")


@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_token_with_another_part_is_refused(part: int) -> None:
    parts = TOKENS.write(RUN, "ask").split(".")
    parts[part] = ("0" if parts[part][0] != "0" else "1") + parts[part][1:]
    assert TOKENS.read(".".join(parts)) is None


@pytest.mark.parametrize("change", ["", "x", "\n", ".0"])
def test_a_token_of_another_form_is_refused(change: str) -> None:
    token = TOKENS.write(RUN, "ask")
    forged = token + change if change else token[:-1]
    assert TOKENS.read(forged) is None


def test_the_token_of_another_server_is_refused() -> None:
    assert TOKENS.read(OTHER_SERVER.write(RUN, "ask")) is None
