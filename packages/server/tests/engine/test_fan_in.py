from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given as with_data
from hypothesis import settings
from hypothesis import strategies as st

from arcrun_server.engine import MemoryEnvironment, run_graph

if TYPE_CHECKING:
    from .conftest import RecordingEngine


def give(value: Any) -> dict[str, Any]:
    return {"component": "give", "value": value}


async def test_a_node_with_several_predecessors_runs_once_on_the_merged_context(
    engine: RecordingEngine,
) -> None:
    lines = [
        "input >> 完成後 >> a",
        "input >> 完成後 >> b",
        "a >> 完成後 >> 合",
        "b >> 完成後 >> 合",
    ]
    config = {
        "a": give({"甲": 1}),
        "b": give({"乙": 2}),
        "合": give(["{{甲}}", "{{乙}}", "{{a.甲}}"]),
    }
    result = await engine.run(lines, config)
    assert engine.order == ["a", "b", "合"]
    assert result.data == [1, 2, 1]


@pytest.mark.parametrize("first", ["input >> 完成後 >> 起", "input >> 對每個 項 >> 起"])
async def test_where_ways_meet_only_what_they_brought_is_seen(
    engine: RecordingEngine, first: str
) -> None:
    lines = [
        first,
        "起 >> 完成後 >> 旁",
        "起 >> 完成後 >> a",
        "起 >> 完成後 >> b",
        "a >> 完成後 >> 合",
        "b >> 完成後 >> 合",
    ]
    config = {
        "起": give({"起值": 0}),
        "旁": give({"旁值": 9}),
        "a": give({"甲": 1}),
        "b": give({"乙": 2}),
        "合": give(["{{起值}}", "{{甲}}", "{{乙}}", "{{旁值}}"]),
    }
    await engine.run(lines, config, {"項": ["一個"]})
    assert engine.order == ["起", "旁", "a", "b", "合"]
    assert engine.given_to("合")[0]["value"] == [0, 1, 2, "{{旁值}}"]


async def test_two_start_nodes_that_meet_give_the_result_of_where_they_meet(
    engine: RecordingEngine,
) -> None:
    lines = ["a >> 完成後 >> 合", "b >> 完成後 >> 合"]
    config = {"a": give({"甲": 1}), "b": give({"乙": 2}), "合": give({"丙": 3})}
    assert (await engine.run(lines, config)).data == {"丙": 3}


async def test_where_branches_meet_the_later_write_counts_not_what_was_inherited(
    engine: RecordingEngine,
) -> None:
    lines = [
        "input >> 完成後 >> a",
        "input >> 完成後 >> b",
        "a >> 完成後 >> 合",
        "b >> 完成後 >> 合",
    ]
    config = {"a": give({"狀態": "完成"}), "b": give({"別": 1}), "合": give("{{狀態}}")}
    result = await engine.run(lines, config, {"狀態": "新"})
    assert result.data == "完成"


async def test_results_that_are_no_objects_meet_by_the_names_of_their_nodes(
    engine: RecordingEngine,
) -> None:
    lines = ["a >> 完成後 >> 合", "b >> 完成後 >> 合"]
    config = {"a": give("甲"), "b": give(["乙"]), "合": give(["{{a}}", "{{b.0}}", "{{prev}}"])}
    assert (await engine.run(lines, config)).data == ["甲", "乙", ["乙"]]


async def test_prev_of_a_meeting_point_is_what_all_before_it_gave(engine: RecordingEngine) -> None:
    lines = ["a >> 完成後 >> 合", "b >> 完成後 >> 合"]
    config = {"a": give({"甲": 1, "同": 1}), "b": give({"乙": 2, "同": 2}), "合": give("{{prev}}")}
    assert (await engine.run(lines, config)).data == {"甲": 1, "同": 2, "乙": 2}


async def test_an_untaken_edge_does_not_starve_the_node_it_leads_to(
    engine: RecordingEngine,
) -> None:
    lines = [
        "input >> 完成後 >> 判",
        "判 >> 成立時 >> 甲",
        "判 >> 不成立時 >> 乙",
        "甲 >> 完成後 >> 合",
        "乙 >> 完成後 >> 合",
    ]
    config = {
        "判": give({"branch": "true"}),
        **{name: give({name: 1}) for name in ("甲", "乙", "合")},
    }
    await engine.run(lines, config)
    assert engine.order == ["判", "甲", "合"]


async def test_an_edge_found_untaken_later_lets_the_waiting_node_run(
    engine: RecordingEngine,
) -> None:
    lines = [
        "input >> 完成後 >> 甲",
        "甲 >> 完成後 >> 合",
        "input >> 完成後 >> 判",
        "判 >> 成立時 >> 乙",
        "乙 >> 完成後 >> 丙",
        "丙 >> 完成後 >> 合",
    ]
    config = {
        "判": give({"branch": "false"}),
        **{name: give({}) for name in ("甲", "乙", "丙", "合")},
    }
    await engine.run(lines, config)
    assert engine.order == ["甲", "判", "合"]


async def test_a_node_none_of_whose_edges_is_taken_never_runs(engine: RecordingEngine) -> None:
    lines = [
        "input >> 完成後 >> 判",
        "判 >> 成立時 >> 甲",
        "判 >> ON_BRANCH(x) >> 甲",
        "甲 >> 完成後 >> 乙",
    ]
    await engine.run(lines, {"判": give({"branch": "false"}), "甲": give(0), "乙": give(0)})
    assert engine.order == ["判"]


async def test_edges_of_any_kind_meet(engine: RecordingEngine) -> None:
    lines = [
        "input >> 完成後 >> a",
        "input >> 完成後 >> b",
        "a >> 失敗時 >> 警",
        "b >> 失敗時 >> 警",
    ]
    config = {
        "a": give({"error": "甲壞"}),
        "b": give({"error": "乙壞"}),
        "警": give("{{a.error}} {{b.error}}"),
    }
    result = await engine.run(lines, config)
    assert engine.order == ["a", "b", "警"]
    assert result.data == "甲壞 乙壞"


async def test_two_edges_between_the_same_nodes_run_the_target_once(
    engine: RecordingEngine,
) -> None:
    lines = ["input >> 完成後 >> a", "a >> ON_SUCCESS >> b", "a >> 完成後 >> b"]
    await engine.run(lines, {"a": give({}), "b": give({})})
    assert engine.order == ["a", "b"]


async def test_a_node_waits_for_the_far_way_round(engine: RecordingEngine) -> None:
    lines = [
        "input >> 完成後 >> a",
        "a >> 完成後 >> 合",
        "a >> 完成後 >> b",
        "b >> 完成後 >> c",
        "c >> 完成後 >> 合",
        "合 >> 完成後 >> 末",
    ]
    await engine.run(lines, {name: give({name: 1}) for name in ("a", "b", "c", "合", "末")})
    assert engine.order == ["a", "b", "c", "合", "末"]


@pytest.mark.parametrize("kind", ["PIPE", "ON_SUCCESS"])
@settings(max_examples=60, deadline=None)
@with_data(data=st.data())
async def test_in_any_graph_each_node_that_can_be_reached_runs_once_after_its_predecessors(
    kind: str, data: st.DataObject
) -> None:
    size = data.draw(st.integers(2, 9))
    pairs = [(a, b) for a in range(size) for b in range(a + 1, size)]
    chosen = data.draw(st.lists(st.sampled_from(pairs), unique=True, max_size=18))
    order: list[int] = []
    seen: dict[int, set[str]] = {}

    async def note(given: dict[str, Any], invocation: Any) -> Any:
        number = int(invocation.node_id)
        order.append(number)
        seen[number] = {key for key in given if key.isdigit()}
        return {}

    graph: Any = {
        "nodes": [{"id": str(n), "type": "Component", "componentId": "note"} for n in range(size)],
        "edges": [{"from": str(a), "to": str(b), "type": kind} for a, b in chosen],
    }
    result = await run_graph(graph, {}, MemoryEnvironment(components={"note": note}))
    assert result.success
    assert sorted(order) == list(range(size))
    assert all(order.index(a) < order.index(b) for a, b in chosen)
    for number in range(size):
        before = {a for a, b in chosen if b == number}
        ancestors = set(before)
        while before:
            before = {a for a, b in chosen if b in before} - ancestors
            ancestors |= before
        assert seen[number] == {str(a) for a in ancestors}
