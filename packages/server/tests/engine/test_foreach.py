from __future__ import annotations

from typing import TYPE_CHECKING, Any

from arcrun_server.engine import ComponentError, RunLimits, run_graph

if TYPE_CHECKING:
    from .conftest import RecordingEngine


def give(value: Any) -> dict[str, Any]:
    return {"component": "give", "value": value}


FLOW = ["input >> 完成後 >> 列", "列 >> 對每個 >> 做"]


async def test_the_target_runs_per_element_and_the_results_are_gathered(
    engine: RecordingEngine,
) -> None:
    config = {
        "列": give({"items": ["甲", "乙"], "頁": 1}),
        "做": give("{{item}}{{loop.item}}{{loop.index}}"),
    }
    result = await engine.run(FLOW, config)
    assert result.data == {"items": ["甲", "乙"], "頁": 1, "results": ["甲甲0", "乙乙1"]}


async def test_the_iterator_names_the_list_and_the_element(engine: RecordingEngine) -> None:
    lines = ["input >> 完成後 >> 列", "列 >> 對每個 草稿 >> 做"]
    config = {
        "列": give({"草稿": [{"題": "一"}, {"題": "二"}], "別": [0]}),
        "做": give("{{草稿.題}}"),
    }
    assert (await engine.run(lines, config)).data["results"] == ["一", "二"]


async def test_everything_downstream_runs_per_element(engine: RecordingEngine) -> None:
    lines = [*FLOW, "做 >> 完成後 >> 再", "再 >> 完成後 >> output"]
    config = {
        "列": give({"items": [1, 2]}),
        "做": give({"n": "{{item}}"}),
        "再": give("{{loop.index}}:{{n}}:{{prev.n}}:{{列.items.0}}"),
    }
    result = await engine.run(lines, config)
    assert result.data["results"] == ["0:1:1:1", "1:2:2:1"]
    assert engine.order == ["列", "做", "再", "做", "再"]


async def test_an_element_replaces_a_node_of_the_same_name(engine: RecordingEngine) -> None:
    lines = ["input >> 完成後 >> item", "item >> 對每個 >> 做"]
    await engine.run(lines, {"item": give({"items": ["甲"]}), "做": give(0)})
    assert engine.given_to("做")[0]["item"] == "甲"


async def test_later_edges_of_the_node_see_results(engine: RecordingEngine) -> None:
    lines = [*FLOW, "列 >> 完成後 >> 報"]
    config = {
        "列": give({"items": [1, 2]}),
        "做": give("{{item}}"),
        "報": give(["{{results}}", "{{列.results.1}}", "{{prev.results}}"]),
    }
    assert (await engine.run(lines, config)).data == [[1, 2], 2, [1, 2]]


async def test_earlier_edges_of_the_node_do_not_see_results(engine: RecordingEngine) -> None:
    lines = ["input >> 完成後 >> 列", "列 >> 完成後 >> 先", "列 >> 對每個 >> 做"]
    config = {"列": give({"items": [1]}), "先": give("{{results}}"), "做": give(0)}
    result = await engine.run(lines, config)
    assert engine.order == ["列", "先", "做"]
    assert result.trace[2]["output"] == "{{results}}"


async def test_a_list_as_a_result_gets_results_beside_nothing(engine: RecordingEngine) -> None:
    config = {"列": give([1, 2]), "做": give("{{item}}")}
    assert (await engine.run(FLOW, config)).data == {"results": [1, 2]}


async def test_an_empty_list_runs_nothing(engine: RecordingEngine) -> None:
    result = await engine.run(FLOW, {"列": give({"items": []}), "做": give(0)})
    assert (result.success, result.data) == (True, {"items": [], "results": []})
    assert engine.order == ["列"]


async def test_a_node_below_a_foreach_and_another_edge_runs_in_both(
    engine: RecordingEngine,
) -> None:
    lines = [*FLOW, "做 >> 完成後 >> 報", "列 >> 完成後 >> 報"]
    config = {
        "列": give({"items": [1, 2]}),
        "做": give({"n": 1}),
        "報": give({"看": "{{results}}"}),
    }
    result = await engine.run(lines, config)
    assert engine.order == ["列", "做", "報", "做", "報", "報"]
    assert result.data == {"看": [{"看": "{{results}}"}, {"看": "{{results}}"}]}


async def test_branches_inside_a_foreach_meet_again(engine: RecordingEngine) -> None:
    lines = [
        *FLOW,
        "做 >> 成立時 >> 甲",
        "做 >> 否則 >> 乙",
        "甲 >> 完成後 >> 合",
        "乙 >> 完成後 >> 合",
    ]
    config = {
        "列": give({"items": [True, False]}),
        "做": give({"branch": "{{item}}"}),
        "甲": give("是"),
        "乙": give("否"),
        "合": give("{{prev}}"),
    }
    assert (await engine.run(lines, config)).data["results"] == ["是", "否"]


async def test_foreach_inside_foreach(engine: RecordingEngine) -> None:
    lines = ["input >> 完成後 >> 列", "列 >> 對每個 組 >> 拆", "拆 >> 對每個 人 >> 做"]
    config = {
        "列": give({"組": [{"人": ["甲", "乙"]}, {"人": ["丙"]}]}),
        "拆": give("{{組}}"),
        "做": give("{{loop.index}}{{loop.item}}{{人}}"),
    }
    result = await engine.run(lines, config)
    assert [inner["results"] for inner in result.data["results"]] == [["0甲甲", "1乙乙"], ["0丙丙"]]


async def test_an_element_that_fails_is_in_the_results_and_the_others_go_on(
    engine: RecordingEngine,
) -> None:
    async def picky(given: Any, invocation: Any) -> Any:
        if given["item"] == "壞":
            raise ComponentError("這個不行")
        return {"好": given["item"]}

    engine.components = {"picky": picky}
    config = {"列": give({"items": ["壞", "甲"]}), "做": {"component": "picky"}}
    result = await engine.run(FLOW, config)
    assert result.success
    assert result.data["results"] == [
        {"success": False, "error": "Node 做 failed: 這個不行"},
        {"好": "甲"},
    ]


async def test_if_every_element_fails_the_run_fails_with_the_first_reason(
    engine: RecordingEngine,
) -> None:
    config = {
        "列": give({"items": ["甲", "乙"]}),
        "做": {"component": "fail", "reason": "不行:{{item}}"},
    }
    result = await engine.run(FLOW, config)
    assert not result.success
    assert result.error == "Node 做 failed: all 2 elements of '列' failed; the first: 不行:甲"
    assert result.failed_node == "做"
    assert result.failed_input["item"] == "甲"


async def test_results_that_are_failures_count_as_failed_elements(engine: RecordingEngine) -> None:
    config = {"列": give({"items": [1, 2]}), "做": give({"success": False, "error": "HTTP 500"})}
    result = await engine.run(FLOW, config)
    assert result.error == "Node 做 failed: all 2 elements of '列' failed; the first: HTTP 500"
    assert result.failed_node == "做"


async def test_a_failure_in_an_inner_foreach_fails_only_its_outer_element(
    engine: RecordingEngine,
) -> None:
    lines = ["input >> 完成後 >> 列", "列 >> 對每個 組 >> 拆", "拆 >> 對每個 人 >> 做"]

    async def picky(given: Any, invocation: Any) -> Any:
        if given["人"] == "壞":
            raise ComponentError("不行")
        return given["人"]

    engine.components = {"picky": picky}
    config = {
        "列": give({"組": [{"人": ["壞", "壞"]}, {"人": ["甲"]}]}),
        "拆": give("{{組}}"),
        "做": {"component": "picky"},
    }
    result = await engine.run(lines, config)
    first, second = result.data["results"]
    assert first["error"] == "Node 做 failed: all 2 elements of '拆' failed; the first: 不行"
    assert second["results"] == ["甲"]


async def test_a_list_that_is_not_there_fails_the_node_and_says_what_is(
    engine: RecordingEngine,
) -> None:
    result = await engine.run(FLOW, {"列": give({"甲": [1], "乙": [2]}), "做": give(0)})
    assert result.error == (
        "Node 列 failed: FOREACH item finds no list 'item' or 'items' in its result, which has: 甲, 乙; "
        "name the list, as in `FOREACH 甲`"
    )
    for value, kind in [("文", "text"), (3, "a number"), (None, "null"), (True, "true or false")]:
        result = await engine.run(FLOW, {"列": give(value), "做": give(0)})
        assert str(result.error).endswith(f"FOREACH item needs a list, but its result is {kind}")
        result = await engine.run(FLOW, {"列": give({"data": {"items": value}}), "做": give(0)})
        assert str(result.error).endswith(f"but 'items' in its result is {kind}")


async def test_the_trace_shows_the_failure_of_a_node_whose_component_had_returned(
    engine: RecordingEngine,
) -> None:
    result = await engine.run(FLOW, {"列": give({"甲": [1], "乙": [2]}), "做": give(0)})
    assert [entry["status"] for entry in result.trace_summary()] == ["ok", "failed"]
    assert result.trace[-1].get("error", "").startswith("FOREACH item finds no list")
    engine.limits = RunLimits(output_bytes=200)
    items = give({"items": list(range(20))})
    result = await engine.run(FLOW, {"列": items, "做": give("十個字元十個字元")})
    statuses = [(entry["node"], entry["status"]) for entry in result.trace_summary()]
    assert statuses == [("input", "ok"), ("列", "failed"), *([("做", "ok")] * 20)]


async def test_the_trace_shows_in_which_element_an_inner_foreach_failed(
    engine: RecordingEngine,
) -> None:
    lines = ["input >> 完成後 >> 列", "列 >> 對每個 組 >> 拆", "拆 >> 對每個 項 >> 做"]
    config = {
        "列": give({"組列表": [["甲"], "乙"]}),
        "拆": give("{{組}}"),
        "做": give(0),
    }
    result = await engine.run(lines, config)
    assert result.success
    shown = [(entry["nodeId"], "error" in entry) for entry in result.trace]
    assert shown[2:] == [("拆", False), ("做", False), ("拆", True)]


async def test_the_failure_of_the_node_itself_is_the_reason_if_it_gives_no_list(
    engine: RecordingEngine,
) -> None:
    failing = give({"success": False, "error": "沒有頁面"})
    result = await engine.run(FLOW, {"列": failing, "做": give(0)})
    assert result.error == "Node 列 failed: 沒有頁面"


async def test_a_failed_node_with_an_on_fail_edge_skips_its_foreach(
    engine: RecordingEngine,
) -> None:
    lines = [*FLOW, "列 >> 失敗時 >> 警"]
    config = {"列": {"component": "fail"}, "做": give(0), "警": give("{{prev.error}}")}
    result = await engine.run(lines, config)
    assert (result.success, result.data) == (True, "壞了")
    assert engine.order == ["列", "警"]


async def test_the_traces_of_all_elements_are_in_the_trace(engine: RecordingEngine) -> None:
    result = await engine.run(FLOW, {"列": give({"items": [1, 2]}), "做": give("{{item}}")})
    assert [(entry["nodeId"], entry["output"]) for entry in result.trace][2:] == [
        ("做", 1),
        ("做", 2),
    ]


async def test_a_passthrough_per_element_gives_no_more_than_the_values(
    engine: RecordingEngine,
) -> None:
    graph = engine.compile(
        FLOW, {"列": give({"items": [1, 2]}), "做": {"component": "comp_passthrough"}}
    )
    result = await run_graph(graph, {"q": 0}, engine.environment)
    assert result.data["results"] == [
        {"q": 0, "items": [1, 2], "item": 1},
        {"q": 0, "items": [1, 2], "item": 2},
    ]
