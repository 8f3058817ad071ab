from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcrun_server.engine.destinations import fixed_origin
from arcrun_server.outbound.urls import climbs, fill_places, with_query, without_places


@pytest.mark.parametrize(
    ("template", "origin"),
    [
        ("https://a.example", "https://a.example"),
        ("https://a.example:8443/{{x}}", "https://a.example:8443"),
        ("https://a.example?q={{x}}", "https://a.example"),
        ("https://a.example#{{x}}", "https://a.example"),
        ("{{x}}", None),
        ("https://{{x}}", None),
        ("https://a.example{{x}}", None),
        ("https://a.example:{{x}}/", None),
        ("https://a@b.example/", None),
        ("https://a.example\\@b.example/", None),
        ("ftp://a.example/", None),
        ("", None),
    ],
)
def test_only_an_origin_that_stands_there_in_full_is_fixed(
    template: str, origin: str | None
) -> None:
    assert fixed_origin(template) == origin


@given(st.text())
def test_no_value_names_a_place(value: str) -> None:
    assert fill_places(without_places("{p}" + value + "{p}"), {"p": "s3cr3t"}).count("s3cr3t") == (
        value.count("s3cr3t")
    )


def test_what_is_put_into_a_place_is_not_looked_through_again() -> None:
    assert fill_places("/{a}/{b}", {"a": "{b}", "b": "x"}) == "/{b}/x"


def test_parameters_are_encoded_and_replace_those_of_the_same_name() -> None:
    url = with_query("https://a.example/x?q=1&r=%26#top", {"q": "a&b=中 /"})
    assert url == "https://a.example/x?r=%26&q=a%26b%3D%E4%B8%AD%20%2F#top"


@pytest.mark.parametrize("path", ["/..", "/a/../b", "/a/%2e./b", "/%2E%2E", "/a/..%2Fb"])
def test_path_that_leads_upwards_is_found(path: str) -> None:
    assert climbs(path)


@pytest.mark.parametrize("path", ["", "/a", "/..a/b../c...d", "/./a", "/a?x=/../b", "/a#/../b"])
def test_other_paths_stay_below(path: str) -> None:
    assert not climbs(path)
