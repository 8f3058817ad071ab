from __future__ import annotations

from typing import get_args

import pytest

from arcrun_server.engine.edges import EDGE_KINDS, EDGE_TYPES, LABELS, STRUCTURE_TYPES
from arcrun_server.engine.labels import LabelError, read_label
from arcrun_server.engine.model import EdgeType

TABLE = [
    ("完成後", "PIPE"),
    ("失敗時", "ON_FAIL"),
    ("成立時", "ON_TRUE"),
    ("為真時", "ON_TRUE"),
    ("不成立時", "ON_FALSE"),
    ("為假時", "ON_FALSE"),
    ("否則", "ON_FALSE"),
    ("SUCCESS", "ON_SUCCESS"),
    ("Fail", "ON_FAIL"),
    ("true", "ON_TRUE"),
    ("False", "ON_FALSE"),
    ("else", "ON_FALSE"),
    ("subflow", "CALLS_SUBFLOW"),
    ("Click", "ON_CLICK"),
]


@pytest.mark.parametrize(("label", "kind"), TABLE)
def test_each_label_of_the_contract_stands_for_its_type(label: str, kind: str) -> None:
    assert read_label(label).type == kind


@pytest.mark.parametrize("kind", sorted(EDGE_TYPES - {"IF", "ON_BRANCH", "FOREACH"}))
def test_every_type_is_its_own_label_in_any_case(kind: str) -> None:
    assert read_label(kind).type == kind
    assert read_label(kind.lower()).type == kind
    assert read_label(kind.title()).type == kind


@pytest.mark.parametrize(
    ("label", "iterator"),
    [
        ("對每個", "item"),
        ("FOREACH", "item"),
        ("對每個 草稿", "草稿"),
        ("foreach  draft_1", "draft_1"),
        ("對每個(草稿)", "草稿"),
        ("對每個（ 草稿 ）", "草稿"),
        ("對每個　草稿", "草稿"),
    ],
)
def test_an_iterator_is_any_one_word(label: str, iterator: str) -> None:
    assert read_label(label).iterator == iterator


@pytest.mark.parametrize(
    ("label", "branch"),
    [
        ("ON_BRANCH(啟用)", "啟用"),
        ("on_branch（啟用）", "啟用"),
        ("分支(急件)", "急件"),
        ("分支（ 急件 ）", "急件"),
        ("分支 急件", "急件"),
        ("BRANCH(a-1)", "a-1"),
        ("分支(啟用）", "啟用"),
    ],
)
def test_a_branch_has_a_name_in_narrow_or_wide_parentheses(label: str, branch: str) -> None:
    assert read_label(label).branch == branch


@pytest.mark.parametrize(
    ("label", "condition"),
    [
        ("IF(n > 3)", "n > 3"),
        ("條件滿足時（狀態 == 完成）", "狀態 == 完成"),
        ("if 有貨", "有貨"),
    ],
)
def test_an_if_has_its_condition_behind_it(label: str, condition: str) -> None:
    assert read_label(label).condition == condition


@pytest.mark.parametrize("label", ["IF", "條件滿足時", "IF()", "if （ ）"])
def test_an_if_without_condition_is_refused(label: str) -> None:
    with pytest.raises(LabelError, match="has no condition"):
        read_label(label)


def test_an_if_whose_condition_is_none_is_refused() -> None:
    with pytest.raises(LabelError, match="more than one comparison"):
        read_label("IF(a == b == c)")


@pytest.mark.parametrize("label", ["IF (a) or (b >)", "IF ((a)", "IF (a)) or (b)", "IF（a）或（"])
def test_a_condition_that_is_none_with_its_parentheses_either_is_refused(label: str) -> None:
    with pytest.raises(LabelError):
        read_label(label)


@pytest.mark.parametrize("label", ["ON_BRANCH", "分支", "分支()", "分支(a(b))"])
def test_a_branch_without_a_name_is_refused(label: str) -> None:
    with pytest.raises(LabelError, match="names no branch"):
        read_label(label)


def test_an_iterator_of_two_words_is_refused_with_a_way_to_write_it() -> None:
    with pytest.raises(LabelError, match="one word") as caught:
        read_label("對每個 新 草稿")
    assert caught.value.suggestion == "對每個 新_草稿"


def test_a_label_without_arguments_refuses_one() -> None:
    with pytest.raises(LabelError, match="takes no argument") as caught:
        read_label("完成後(x)")
    assert caught.value.suggestion == "完成後"
    with pytest.raises(LabelError, match="takes no argument"):
        read_label("PIPE()")


@pytest.mark.parametrize(
    ("label", "suggestion"),
    [
        ("完成", "完成後"),
        ("PIPES", "PIPE"),
        ("on_sucess", "ON_SUCCESS"),
        ("完成后", "完成後"),
        ("失败时", "失敗時"),
        ("对每个 草稿", "對每個 草稿"),
        ("FOR_EACH item", "FOREACH item"),
        ("为真时", "為真時"),
    ],
)
def test_the_error_for_an_unknown_label_suggests_the_nearest_one(
    label: str, suggestion: str
) -> None:
    with pytest.raises(LabelError, match="did you mean") as caught:
        read_label(label)
    assert caught.value.suggestion == suggestion


@pytest.mark.parametrize("label", ["🦆🦆🦆", "(x)", "完全不是這個意思"])
def test_the_error_for_a_label_that_resembles_none_lists_some(label: str) -> None:
    with pytest.raises(LabelError, match="Some labels are: 完成後") as caught:
        read_label(label)
    assert caught.value.suggestion is None


def test_every_label_stands_for_a_known_type() -> None:
    assert set(LABELS.values()) == EDGE_TYPES


def test_the_table_holds_the_types_of_the_wire_and_no_label_twice() -> None:
    assert list(EDGE_KINDS) == list(get_args(EdgeType))
    labels = [label for kind in EDGE_KINDS.values() for label in (kind.type, *kind.labels)]
    assert len(labels) == len(set(labels)) == len(LABELS)
    assert all(label == label.upper() for label in labels)


def test_what_is_structure_has_neither_labels_nor_arguments() -> None:
    assert {"CONTINUE", "IS_A", "CONTAINS", "HAS_STYLE", "HAS_BEHAVIOR"} == STRUCTURE_TYPES
    for kind in EDGE_KINDS.values():
        assert kind.runs or (not kind.labels and kind.argument is None)


@pytest.mark.parametrize(
    ("label", "condition"),
    [
        ("IF(a > 3)", "a > 3"),
        ("IF (a) or (b)", "(a) or (b)"),
        ("條件滿足時（（a） and b）", "（a） and b"),
        ("IF((a or b) and (c))", "(a or b) and (c)"),
        ("IF not (a)", "not (a)"),
    ],
)
def test_a_condition_may_have_parentheses(label: str, condition: str) -> None:
    assert read_label(label).condition == condition
