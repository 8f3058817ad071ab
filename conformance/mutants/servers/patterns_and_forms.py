"""Defects in regular expressions, in multipart forms, and in how parameters are read."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from arcrun_server.components import array_ops, http_request, regexes, registry, request_body
from arcrun_server.components.contract import ComponentError
from arcrun_server.components.operations import Operation
from arcrun_server.recipes.api import component as api_component

if TYPE_CHECKING:
    from arcrun_server.engine import Invocation

# Regular expressions


def matches_are_placed_by_bytes() -> None:
    described = regexes._described
    regexes._described = lambda match, index: {**described(match, index), "index": match.start()}


def the_first_match_begins_the_text() -> None:
    right = regexes.OPERATIONS["regex_test"].compute
    regexes.OPERATIONS["regex_test"] = Operation(
        lambda search: right({**search, "pattern": f"^(?:{search['pattern']})"}), ""
    )


def splits_keep_what_groups_matched() -> None:
    regexes.OPERATIONS["regex_split"] = Operation(
        lambda search: re.split(search["pattern"], search["text"]), ""
    )


def only_the_first_match_is_replaced() -> None:
    right, matches = regexes.OPERATIONS["regex_replace"].compute, regexes._matches

    def compute(search: dict[str, Any]) -> Any:
        regexes._matches = lambda *found: islice(matches(*found), 1)
        try:
            return right(search)
        finally:
            regexes._matches = matches

    regexes.OPERATIONS["regex_replace"] = Operation(compute, "")


def backslashes_name_groups_in_replacements() -> None:
    right = regexes._replacement
    regexes._replacement = lambda written, search: right(
        re.sub(r"\\([0-9])", r"$\1", written), search
    )


def dots_never_match_line_breaks() -> None:
    right = regexes._prefix
    regexes._prefix = lambda flags: right(flags.replace("s", ""))


def dollars_match_at_the_end_only() -> None:
    right = regexes._prefix
    regexes._prefix = lambda flags: right(flags.replace("m", ""))


def filled_patterns_are_patterns() -> None:
    regexes._written = lambda invocation, name, _write: invocation.own[name]


def the_input_sets_a_pattern() -> None:
    right = regexes._search

    def search(given: dict[str, Any], invocation: Invocation) -> Any:
        own, written = {**given, **invocation.own}, {**given, **invocation.written}
        return right(given, replace(invocation, own=own, written=written))

    regexes._search = search


def patterns_may_have_a_character_more() -> None:
    regexes.MAX_PATTERN += 1


def searched_texts_may_have_a_character_more() -> None:
    regexes.MAX_TEXT += 1


def one_match_more_is_found() -> None:
    regexes.MAX_MATCHES += 1
    regexes.QUICK_WORK = 10**12  # not by a worker, which has no defect


# Bodies of requests


def file_names_keep_their_line_breaks() -> None:
    request_body._quoted = lambda name: name.replace('"', "%22")


def field_names_keep_their_line_breaks() -> None:
    part = request_body._part

    def with_name(given: Any, where: str) -> Any:
        head, content = part(given, where)
        return head.replace(b"%0D%0A", b"\r\n") if b"filename" not in head else head, content

    request_body._part = with_name


def files_have_no_type() -> None:
    request_body._content_type = lambda _part, _where: None


def parts_are_sent_as_python_writes_them() -> None:
    request_body.as_text = str


def parts_may_have_two_contents() -> None:
    right = request_body._check_keys
    request_body._check_keys = lambda part, where: right(
        {key: value for key, value in part.items() if key != "value" or "base64" not in part}, where
    )


def forms_are_dropped_with_get() -> None:
    right = request_body.request_body
    http_request.request_body = lambda given, method, headers: (
        None if method == "GET" else right(given, method, headers)
    )


# Parameters


def near_names_are_ignored() -> None:
    registry.check_names = lambda _contract, _own: None


def unknown_names_are_refused() -> None:
    right = registry.check_names

    def check(contract: Any, own: dict[str, Any]) -> None:
        right(contract, own)
        for name in own:
            if name not in contract["input_schema"]["properties"]:
                raise ComponentError(f"no parameter {name}")

    registry.check_names = check


def a_query_is_added_to_that_of_the_url() -> None:
    right = http_request.with_query
    http_request.with_query = lambda url, query: (
        right(url, query)
        if "?" not in url
        else f"{url}&{right('http://x/', query).partition('?')[2]}"
    )


def a_query_replaces_names_as_they_are_written() -> None:
    right = http_request.with_query

    def with_query(url: str, query: dict[str, Any]) -> str:
        before, _, written = url.partition("?")
        kept = [pair for pair in written.split("&") if pair and pair.partition("=")[0] not in query]
        added = right("http://x/", query).partition("?")[2]
        return "?".join([before, "&".join([*kept, added])]) if query else url

    http_request.with_query = with_query


def prefixes_are_sets_of_characters() -> None:
    right = api_component.mapped_text

    def mapped_text(data: Any, response_map: dict[str, Any]) -> str | None:
        text = right(data, {**response_map, "strip_prefixes": []})
        for prefix in response_map.get("strip_prefixes", ()) if text else ():
            text = text.lstrip(prefix).strip()
        return text

    api_component.mapped_text = mapped_text


# Equality within values


def includes_compares_insides_without_types() -> None:
    right = array_ops.same
    array_ops.same = lambda left, one: (
        left == one if isinstance(one, (list, dict)) else right(left, one)
    )


def unique_compares_insides_without_types() -> None:
    right = array_ops._mark
    array_ops._mark = lambda value: (
        right(value).replace("true", "1").replace("false", "0")
        if isinstance(value, (list, dict))
        else right(value)
    )


def unique_tells_whole_numbers_apart_inside() -> None:
    right = array_ops._with_whole_numbers
    array_ops._with_whole_numbers = lambda value: (
        value if isinstance(value, (list, dict)) else right(value)
    )
