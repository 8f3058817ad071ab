from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from arcrun_server.engine import (
    ComponentError,
    MemoryEnvironment,
    prepare_graph,
    run_graph,
)

if TYPE_CHECKING:
    from .conftest import RecordingEngine


def give(value: Any) -> dict[str, Any]:
    return {"component": "give", "value": value}


async def test_a_single_component_without_edges_runs_on_the_input(engine: RecordingEngine) -> None:
    graph = {
        "nodes": [{"id": "計", "type": "Component", "componentId": "comp_counter"}],
        "edges": [],
    }
    result = await run_graph(graph, {"count": 1}, engine.environment)
    assert (result.success, result.data) == (True, {"count": 2})


async def test_the_built_ins(engine: RecordingEngine) -> None:
    lines = ["input >> 完成後 >> 計", "計 >> 完成後 >> 大", "大 >> 完成後 >> 過"]
    config = {
        "計": {"component": "comp_counter"},
        "大": {"component": "comp_uppercase"},
        "過": {"component": "comp_passthrough"},
    }
    result = await engine.run(lines, config, {"text": "hi 好", "count": 4, "別": [1]})
    assert result.data == {"text": "HI 好", "count": 5, "別": [1]}


@pytest.mark.parametrize(
    ("count", "expected"), [("5", 6), ("五", 1), (None, 1), (2.5, 3.5), ([], 1), (True, 2)]
)
async def test_counter_counts_from_what_it_gets(
    engine: RecordingEngine, count: Any, expected: Any
) -> None:
    result = await engine.run(
        ["input >> PIPE >> 計"], {"計": {"component": "comp_counter"}}, {"count": count}
    )
    assert result.data == {"count": expected}


async def test_uppercase_turns_what_is_no_text_into_text(engine: RecordingEngine) -> None:
    config = {"大": {"component": "comp_uppercase"}}
    assert (await engine.run(["input >> PIPE >> 大"], config, {"text": 5})).data == {"text": "5"}
    assert (await engine.run(["input >> PIPE >> 大"], config, {})).data == {"text": ""}


async def test_a_successor_sees_context_result_and_the_result_by_node(
    engine: RecordingEngine,
) -> None:
    lines = ["input >> 完成後 >> 讀", "讀 >> 完成後 >> 寫"]
    config = {"讀": give({"頁": 3, "題": "新"}), "寫": {**give(0), "參數": "{{讀.頁}}"}}
    await engine.run(lines, config, {"題": "舊", "人": "小明"})
    assert engine.given_to("寫") == [
        {
            "題": "新",
            "人": "小明",
            "頁": 3,
            "input": {"題": "舊", "人": "小明"},
            "讀": {"頁": 3, "題": "新"},
            "value": 0,
            "參數": 3,
        }
    ]


async def test_a_result_that_is_no_object_is_seen_by_its_node(engine: RecordingEngine) -> None:
    lines = ["input >> 完成後 >> 讀", "讀 >> 完成後 >> 寫"]
    config = {"讀": give(["甲", "乙"]), "寫": give("{{讀.1}}與{{prev.0}}")}
    assert (await engine.run(lines, config)).data == "乙與甲"


async def test_every_root_of_a_template(engine: RecordingEngine) -> None:
    lines = ["input >> 完成後 >> a", "a >> 完成後 >> b"]
    config = {
        "a": give({"x": "甲", "n": {"m": 1}}),
        "b": give(
            {
                "input": "{{input.q}}",
                "prev": "{{prev.x}}",
                "ctx": "{{ctx.a.x}}{{ctx.x}}",
                "node": "{{a.n.m}}",
                "plain": "{{n}}",
                "whole": "{{prev}}",
                "time": "{{_today}} {{_now_unix_s}}",
                "none": "{{loop.item}}",
            }
        ),
    }
    result = await engine.run(lines, config, {"q": "問"})
    assert result.data == {
        "input": "問",
        "prev": "甲",
        "ctx": "甲甲",
        "node": 1,
        "plain": {"m": 1},
        "whole": {"x": "甲", "n": {"m": 1}},
        "time": "2026-11-22 1795336205",
        "none": "{{loop.item}}",
    }


async def test_ctx_alone_is_the_whole_context(engine: RecordingEngine) -> None:
    result = await engine.run(["input >> PIPE >> a"], {"a": give("{{ctx}}")}, {"q": 1})
    assert result.data == {"q": 1, "input": {"q": 1}}


async def test_roots_give_way_to_the_context_if_they_find_nothing(engine: RecordingEngine) -> None:
    run_input = {"input": {"deep": 1}, "loop": {"item": 2}, "prev": {"p": 3}}
    result = await engine.run(
        ["start >> PIPE >> a"],
        {"a": give(["{{input.deep}}", "{{loop.item}}", "{{prev.p}}", "{{input.input.deep}}"])},
        run_input,
    )
    assert result.data == [1, 2, 3, 1]


async def test_a_node_can_be_named_as_it_is_written_in_the_flow(engine: RecordingEngine) -> None:
    lines = ["input >> 完成後 >> Read v1.5", "Read v1.5 >> 完成後 >> b"]
    config = {
        "Read v1.5": give({"文": "字"}),
        "b": give("{{Read v1.5.文}} {{read-v1.5.文}} {{Read v1.5.無}}"),
    }
    assert (await engine.run(lines, config)).data == "字 字 {{Read v1.5.無}}"


async def test_a_nodes_result_can_be_named_also_if_a_later_result_hides_it(
    engine: RecordingEngine,
) -> None:
    lines = ["input >> 完成後 >> data", "data >> 完成後 >> b", "b >> 完成後 >> c"]
    config = {
        "data": give({"k": 1}),
        "b": give({"data": {"other": 2}}),
        "c": give("{{data.k}}{{data.other}}"),
    }
    assert (await engine.run(lines, config)).data == "1{{data.other}}"


@pytest.mark.parametrize("written", ["read", "Read", "ctx.read"])
async def test_a_later_result_does_not_stand_in_for_that_of_another_node(
    engine: RecordingEngine, written: str
) -> None:
    lines = ["input >> 完成後 >> Read", "Read >> 完成後 >> b", "b >> 完成後 >> c"]
    evil = {"blocks": ["evil"], "more": 1}
    config = {
        "Read": give({"blocks": ["real"]}),
        "b": give({"read": evil, "Read": evil}),
        "c": give([f"{{{{{written}.blocks}}}}", f"{{{{{written}.more}}}}"]),
    }
    result = await engine.run(lines, config)
    assert result.data == [["real"], f"{{{{{written}.more}}}}"]
    assert engine.given_to("c")[0]["read"] == {"blocks": ["real"]}


async def test_a_result_with_a_loop_does_not_stand_in_for_the_element(
    engine: RecordingEngine,
) -> None:
    lines = ["input >> FOREACH x >> a", "a >> PIPE >> b"]
    config = {
        "a": give({"loop": {"item": "evil"}}),
        "b": give("{{loop.item}}{{ctx.loop.item}}{{ctx.loop.index}}"),
    }
    result = await engine.run(lines, config, {"xs": ["甲"]})
    assert result.data["results"] == ["甲甲0"]


async def test_a_result_replaces_the_field_that_is_called_like_its_node(
    engine: RecordingEngine,
) -> None:
    lines = ["start >> 完成後 >> text", "text >> 完成後 >> b"]
    await engine.run(lines, {"text": give({"k": 1}), "b": give(0)}, {"text": "文"})
    assert engine.given_to("b")[0]["text"] == {"k": 1}


async def test_the_nodes_own_data_comes_before_the_context(engine: RecordingEngine) -> None:
    await engine.run(["input >> PIPE >> a"], {"a": {**give(0), "k": "自己"}}, {"k": "別人"})
    assert engine.given_to("a")[0]["k"] == "自己"


async def test_a_placeholder_without_a_value_is_a_warning_in_the_trace(
    engine: RecordingEngine,
) -> None:
    result = await engine.run(
        ["input >> PIPE >> a"], {"a": give("{{ 無.此 }} {{input.q}}")}, {"q": 1}
    )
    assert result.data == "{{ 無.此 }} 1"
    assert result.trace[1]["warnings"] == ["{{ 無.此 }} has no value"]
    assert "warnings" not in result.trace[0]


async def test_a_placeholder_of_an_input_without_a_value_is_a_warning_in_the_trace_too(
    engine: RecordingEngine,
) -> None:
    result = await engine.run(
        ["input >> PIPE >> a"], {"input": {"x": "{{input.缺}}"}, "a": give(0)}
    )
    assert result.trace[0]["warnings"] == ["{{input.缺}} has no value"]
    assert result.warnings == [{"node": "input", "placeholder": "{{input.缺}}"}]


async def test_edges_run_in_the_order_of_the_flow_each_to_its_end(engine: RecordingEngine) -> None:
    lines = [
        "input >> 完成後 >> a",
        "a >> 完成後 >> b",
        "a >> 完成後 >> c",
        "b >> 完成後 >> d",
    ]
    result = await engine.run(lines, {name: give({name: 1}) for name in "abcd"})
    assert engine.order == ["a", "b", "d", "c"]
    assert result.data == {"c": 1}


async def test_the_output_node_gives_what_it_gets(engine: RecordingEngine) -> None:
    lines = ["input >> 完成後 >> a", "a >> 完成後 >> output"]
    assert (await engine.run(lines, {"a": give([1, 2])})).data == [1, 2]


async def test_several_start_nodes_are_merged_later_over_earlier(engine: RecordingEngine) -> None:
    lines = ["a >> 完成後 >> b", "c >> 完成後 >> d"]
    config = {"a": give({}), "b": give({"x": 1, "y": 1}), "c": give({}), "d": give({"y": 2})}
    assert (await engine.run(lines, config)).data == {"x": 1, "y": 2}


async def test_of_several_starts_the_last_counts_if_one_gives_no_object(
    engine: RecordingEngine,
) -> None:
    lines = ["a >> 完成後 >> b", "c >> 完成後 >> d"]
    config = {"a": give({}), "b": give({"x": 1}), "c": give({}), "d": give("末")}
    assert (await engine.run(lines, config)).data == "末"


@pytest.mark.parametrize(
    ("value", "ran"),
    [
        ({"success": True}, ["成"]),
        ({"success": False}, ["敗"]),
        ({"error": "壞"}, ["敗"]),
        ("text", ["成"]),
    ],
)
async def test_of_on_success_and_on_fail_exactly_one_fires(
    engine: RecordingEngine, value: Any, ran: list[str]
) -> None:
    lines = ["input >> 完成後 >> a", "a >> ON_SUCCESS >> 成", "a >> 失敗時 >> 敗"]
    await engine.run(lines, {"a": give(value), "成": give(0), "敗": give(0)})
    assert engine.order[1:] == ran


async def test_a_failing_component_goes_along_its_on_fail_edge(engine: RecordingEngine) -> None:
    lines = [
        "input >> 完成後 >> a",
        "a >> 成立時 >> b",
        "a >> ON_SUCCESS >> b",
        "a >> 失敗時 >> 敗",
    ]
    config = {
        "a": {"component": "fail", "reason": "逾時"},
        "b": give(0),
        "敗": give("{{prev.error}}"),
    }
    result = await engine.run(lines, config)
    assert (result.success, result.data) == (True, "逾時")
    assert result.trace[1]["error"] == "逾時"
    assert result.trace[1]["output"] == {"success": False, "error": "逾時"}


async def test_a_failing_node_ends_the_run_and_is_named(engine: RecordingEngine) -> None:
    lines = ["input >> 完成後 >> a", "a >> 完成後 >> 壞掉", "壞掉 >> 完成後 >> c"]
    config = {"a": give({"x": 1}), "壞掉": {"component": "fail"}, "c": give(0)}
    result = await engine.run(lines, config, {"q": 1})
    assert (result.success, result.data) == (False, None)
    assert result.error == "Node 壞掉 failed: 壞了"
    assert result.failed_node == "壞掉"
    assert result.failed_input == {"q": 1, "x": 1, "input": {"q": 1}, "a": {"x": 1}}
    assert result.trace_summary() == [
        {"node": "input", "status": "ok"},
        {"node": "a", "status": "ok"},
        {"node": "壞掉", "status": "failed", "error": "壞了"},
    ]
    assert engine.order == ["a", "壞掉"]


async def test_any_exception_of_a_component_fails_its_node_with_its_kind(
    engine: RecordingEngine,
) -> None:
    async def broken(given: Any, invocation: Any) -> Any:
        return {}["鍵"]

    async def silent(given: Any, invocation: Any) -> Any:
        raise RuntimeError

    engine.components = {"broken": broken, "silent": silent}
    result = await engine.run(["input >> PIPE >> a"], {"a": {"component": "broken"}})
    assert result.error == "Node a failed: KeyError: '鍵'"
    result = await engine.run(["input >> PIPE >> a"], {"a": {"component": "silent"}})
    assert result.error == "Node a failed: RuntimeError"


async def test_a_component_that_is_not_there_fails_its_node(engine: RecordingEngine) -> None:
    result = await engine.run(["input >> PIPE >> a"], {"a": {"component": "gone"}})
    assert (
        result.error
        == "Node a failed: there is no component 'gone'; use one of the engine, a URL, or the name of a recipe"
    )


async def test_the_trace_tells_what_each_node_got_and_gave(engine: RecordingEngine) -> None:
    result = await engine.run(
        ["input >> PIPE >> a", "a >> PIPE >> output"], {"a": give({"y": 2})}, {"x": 1}
    )
    shown = [
        {key: entry[key] for key in ("nodeId", "type", "input", "output")} for entry in result.trace
    ]
    assert shown == [
        {"nodeId": "input", "type": "Input", "input": {"x": 1}, "output": {"x": 1}},
        {
            "nodeId": "a",
            "type": "Component",
            "input": {"x": 1, "input": {"x": 1}, "value": {"y": 2}},
            "output": {"y": 2},
        },
        {"nodeId": "output", "type": "Output", "input": {"y": 2}, "output": {"y": 2}},
    ]
    assert all(entry["duration_ms"] >= 0 for entry in result.trace)
    assert result.duration_ms >= max(entry["duration_ms"] for entry in result.trace)


@pytest.mark.parametrize(
    ("value", "ran"),
    [
        ({"success": True, "data": {"result": True, "branch": "true"}}, ["真", "支"]),
        ({"branch": "FALSE"}, ["假"]),
        ({"result": False}, ["假"]),
        ({"data": {"branch": "急件"}}, ["急"]),
        ({"x": 1}, []),
        ("true", []),
    ],
)
async def test_branches_are_read_from_the_result(
    engine: RecordingEngine, value: Any, ran: list[str]
) -> None:
    lines = [
        "input >> 完成後 >> a",
        "a >> 成立時 >> 真",
        "a >> 否則 >> 假",
        "a >> 分支（急件） >> 急",
        "a >> ON_BRANCH(true) >> 支",
    ]
    await engine.run(lines, {"a": give(value), **{name: give(0) for name in "真假急支"}})
    assert engine.order[1:] == ran


async def test_an_if_runs_its_target_only_if_its_condition_holds(engine: RecordingEngine) -> None:
    lines = [
        "input >> 完成後 >> a",
        "a >> IF(分數 > 60) >> 及格",
        "a >> IF(分數 <= 60) >> 不及格",
        "a >> 條件滿足時(人 == 小明) >> 小明的",
    ]
    config = {name: give(0) for name in ("及格", "不及格", "小明的")}
    await engine.run(lines, {"a": give({"分數": 61}), **config}, {"人": "小明"})
    assert engine.order == ["a", "及格", "小明的"]


async def test_a_condition_looks_at_the_result_first_and_then_where_templates_look(
    engine: RecordingEngine,
) -> None:
    lines = [
        "input >> 完成後 >> a",
        "a >> IF(input == 1) >> 一",
        "a >> IF(input.q == 2) >> 二",
        "a >> IF(_year == 2026) >> 三",
        "a >> IF(a.input == 1) >> 四",
    ]
    await engine.run(lines, {"a": give({"input": 1}), **{n: give(0) for n in "一二三四"}}, {"q": 2})
    assert engine.order == ["a", "一", "二", "三", "四"]


async def test_a_click_is_followed_as_a_pipe(engine: RecordingEngine) -> None:
    await engine.run(["按鈕 >> ON_CLICK >> 存"], {"存": give(0)})
    assert engine.order == ["存"]


@pytest.mark.parametrize("kind", ["CONTINUE", "IS_A", "CONTAINS", "HAS_STYLE", "HAS_BEHAVIOR"])
async def test_structure_is_not_run(engine: RecordingEngine, kind: str) -> None:
    lines = ["input >> 完成後 >> a", f"a >> {kind} >> b", "b >> 完成後 >> c"]
    result = await engine.run(lines, {name: give({"至": name}) for name in "abc"})
    assert engine.order == ["a"]
    assert result.data == {"至": "a"}


async def test_structure_does_not_keep_a_node_waiting(engine: RecordingEngine) -> None:
    lines = ["input >> 完成後 >> a", "頁 >> CONTAINS >> b", "b >> 完成後 >> c", "a >> 完成後 >> c"]
    await engine.run(lines, {name: give(0) for name in "abc"})
    assert engine.order == ["a", "c"]


async def test_a_prepared_graph_runs_many_times_and_at_the_same_time(
    engine: RecordingEngine,
) -> None:
    plan = prepare_graph(
        engine.compile(
            ["input >> PIPE >> a"], {"a": {"component": "comp_counter", "名": "{{input.名}}"}}
        )
    )
    results = await asyncio.gather(
        *(run_graph(plan, {"count": n, "名": f"第{n}"}, MemoryEnvironment()) for n in range(20))
    )
    assert [result.data for result in results] == [
        {"count": n + 1, "名": f"第{n}"} for n in range(20)
    ]


async def test_a_graph_that_cannot_run_is_a_result(engine: RecordingEngine) -> None:
    result = await run_graph({"nodes": [], "edges": []}, {}, engine.environment)  # type: ignore[typeddict-item]
    assert not result.success
    assert (
        result.error == "The graph can't run: nodes: The graph has no nodes; it needs at least one."
    )
    assert result.failed_node is None


async def test_input_that_is_not_json_is_refused_before_anything_runs(
    engine: RecordingEngine,
) -> None:
    result = await engine.run(["a >> PIPE >> b"], {"a": give(1), "b": give(1)}, {"半": "\ud83d"})
    assert str(result.error).startswith("The run's input is not valid JSON (")
    assert engine.order == []


async def test_the_reason_of_a_failure_is_of_bounded_length_and_can_be_written(
    engine: RecordingEngine,
) -> None:
    async def wordy(given: Any, invocation: Any) -> Any:
        raise ComponentError("半\ud83d" + "長" * 5000)

    engine.components = {"wordy": wordy}
    result = await engine.run(["input >> PIPE >> a"], {"a": {"component": "wordy"}})
    assert result.error is not None
    assert result.error.startswith("Node a failed: 半\\ud83d長長")
    assert len(result.error) < 2100


async def test_a_chain_may_be_longer_than_pythons_stack(engine: RecordingEngine) -> None:
    lines = [f"n{i} >> PIPE >> n{i + 1}" for i in range(999)]
    config = {f"n{i}": {"component": "comp_counter"} for i in range(1000)}
    assert (await engine.run(lines, config, {"count": 0})).data == {"count": 1000}


async def test_what_a_run_gives_shows_no_data_in_its_repr(engine: RecordingEngine) -> None:
    result = await engine.run(
        ["input >> PIPE >> a"], {"a": {"component": "fail"}}, {"機密": "內容"}
    )
    assert "內容" not in repr(result)
    assert "Node a failed" in repr(result)
