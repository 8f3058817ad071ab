"""Substitution: each old value is replaced once, the longest first, and nothing else is changed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from arcrun_conformance.replay.recorded_engine import substitution
from arcrun_conformance.replay.substitution import Substitution

PORTS = st.integers(1, 65535)


def test_what_takes_a_place_is_not_replaced_itself() -> None:
    assert Substitution({"a": "b", "b": "a"}).text("ab") == "ba"


def test_the_longest_of_several_is_replaced() -> None:
    assert Substitution({"ab": "1", "abc": "2"}).body(b"abcab") == b"21"


@given(old=PORTS, new=PORTS, other=PORTS)
def test_only_the_port_itself_is_replaced(old: int, new: int, other: int) -> None:
    replaced = substitution({"standin_port": old}, {"standin_port": new})

    text = replaced.text(f"http://127.0.0.1:{other}/{old}")

    assert text == f"http://127.0.0.1:{new if other == old else other}/{old}"


@given(st.text(), st.binary())
def test_without_anything_to_replace_all_stays(text: str, body: bytes) -> None:
    nothing = Substitution({"same": "same", "": "more"})

    assert (nothing.text(text), nothing.body(body)) == (text, body)
