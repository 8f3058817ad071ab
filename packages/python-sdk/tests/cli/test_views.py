"""What a person reads of results."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from arcrun.cli import recipe_views, views
from arcrun.cli.console import width
from arcrun.commands.table import COMMANDS

RECIPE = """\
id: prompt_recipe:天氣
inputs:
  - {var: city, from: input.city}
prompt_assembly:
  system: You are brief.
  user: "{{city}} 的天氣？"
tests:
  - {name: 台北, inputs: {city: 台北}, expect: {contains: [台北]}}
  - {name: wrong, inputs: {city: 台中}, expect: {contains: [高雄]}}
"""


def plain(text: str, *names: str) -> str:
    del names
    return text


def marked(text: str, *names: str) -> str:
    """Return text with its style in brackets, as [green:text]."""
    return f"[{' '.join(names)}:{text}]" if names else text


@pytest.fixture
def recipe(acr, engine, tmp_path: Path) -> str:
    (tmp_path / "recipe.yaml").write_text(RECIPE.replace("天氣\n", "weather\n", 1), "utf-8")
    assert acr("recipe", "push", tmp_path / "recipe.yaml").code == 0
    return "weather"


def test_every_view_is_of_a_command() -> None:
    names = {command.name for command in COMMANDS}
    for name in views._VIEWS:
        assert name in names
        assert views.view_of(name) is not None


def test_a_prompt_is_shown_as_it_is_with_the_origin_of_each_range(acr, recipe: str) -> None:
    ended = acr("recipe", "render", recipe, "city=台北")
    assert ended.out.splitlines()[:5] == [
        "── system ──",
        "You are brief.",
        "",
        "── user ──",
        "台北 的天氣？",
    ]
    assert "value     city" in ended.out
    assert "input.city" in ended.out


def test_each_line_of_a_range_has_its_colour(acr, recipe: str) -> None:
    rendered = acr("recipe", "render", recipe, "city=台北\n台中", "--json").json
    lines = list(recipe_views.prompt(rendered, marked))
    assert "[green:台北]" in lines
    assert "[green:台中] 的天氣？" in lines


def test_values_cannot_steer_the_terminal(acr, recipe: str) -> None:
    ended = acr("recipe", "render", recipe, "city=\x1b]0;x\x07\u202e")
    assert not {"\x1b", "\x07", "\u202e"} & set(ended.out)


def test_tests_that_fail_say_why_and_exit_with_1(acr, recipe: str) -> None:
    ended = acr("recipe", "test", recipe)
    assert ended.code == 1
    assert "✓ 台北" in ended.out
    assert "✗ wrong" in ended.out
    assert "高雄" in ended.out
    assert "1 of 2 tests passed" in ended.out


def test_the_text_of_a_recipe_can_be_pushed_again(acr, recipe: str, tmp_path: Path) -> None:
    (tmp_path / "copy.yaml").write_text(acr("recipe", "get", recipe).out, "utf-8")
    assert acr("recipe", "push", tmp_path / "copy.yaml").out.splitlines() == [
        "✓ prompt_recipe:weather  version 2"
    ]
    diff = acr("recipe", "diff", recipe, "1", "2").out
    assert "same" in diff or "# version 1" in diff


def test_a_diff_and_a_backtest_show_what_changes(acr, engine, project: Path) -> None:
    recipe = project / "recipes" / "greeting.yaml"
    acr("recipe", "push", recipe)
    acr("push", project / "workflows" / "greet.yaml")
    run = acr("run", "greet", "name=Ada", "--json").json["run_id"]
    recipe.write_text(
        recipe.read_text("utf-8").replace("Greet {{name}}.", "Hail {{name}}."), "utf-8"
    )
    acr("recipe", "push", recipe)
    diff = acr("recipe", "diff", "greeting", "1").out.splitlines()
    assert "-  user: Greet {{name}}." in diff
    assert "+  user: Hail {{name}}." in diff
    backtest = acr("recipe", "backtest", "greeting").out
    assert "1 changed" in backtest
    assert run in backtest
    assert "+Hail Ada." in backtest


def test_a_run_shows_input_trace_and_data_each_in_full(acr, engine, project: Path) -> None:
    acr("recipe", "push", project / "recipes" / "greeting.yaml")
    acr("push", project / "workflows" / "greet.yaml")
    long = "小明" * 100
    run_id = acr("run", "greet", f"name={long}", "--json").json["run_id"]
    shown = acr("runs", "get", run_id).out
    assert f"  name: {long}" in shown
    assert "  ✓ write" in shown
    assert "greeting: 早安，小明！" in shown


def test_a_failed_run_shows_the_node_and_why() -> None:
    run: dict[str, Any] = {
        "run_id": "r1", "workflow": "w", "status": "failed", "error": "Node b failed: no",
        "trace": [{"node": "a", "status": "ok"}, {"node": "b", "status": "failed", "error": "no"}],
        "failed_input": {"x": 1},
    }  # fmt: skip
    lines = list(views.run(run, plain))
    (failed,) = (line for line in lines if "✗ b" in line)
    assert failed.endswith("no")
    assert "  Node b failed: no" in lines
    assert "  x: 1" in lines


def test_a_paused_run_says_how_it_goes_on() -> None:
    run = {"run_id": "r1", "workflow": "w", "status": "paused", "task_id": "t1"}
    assert list(views.run(run, plain))[-1] == "go on with: acr runs resume t1 KEY=VALUE"


def test_a_component_shows_its_parameters_and_an_example_to_copy(acr, engine) -> None:
    lines = acr("components", "get", "if_control").out.splitlines()
    assert "  condition  string | boolean | number | null, required" in lines
    assert "branches  true, false" in lines
    assert "      component: if_control" in lines


def test_columns_of_wide_characters_are_aligned() -> None:
    lines = list(views.columns([("天氣", "a"), ("ok", "b")]))
    assert {width(line.rpartition(" ")[0]) for line in lines} == {5}


def test_a_run_gives_its_data_alone_to_stdout(acr, engine, project: Path) -> None:
    acr("recipe", "push", project / "recipes" / "greeting.yaml")
    acr("push", project / "workflows" / "greet.yaml")
    assert acr("run", "greet", "name=Ada").out == "to: Ada\ngreeting: Good morning!\n"


def test_a_warning_of_a_recipe_points_at_its_place(acr, engine, project) -> None:
    recipe = project / "recipes" / "greeting.yaml"
    unused = "inputs:\n  - {var: unused, from: input.unused, default: x}\n"
    recipe.write_text(recipe.read_text("utf-8").replace("inputs:\n", unused, 1), "utf-8")
    ended = acr("recipe", "push", recipe)
    assert (ended.code, "version 1" in ended.out) == (0, True)
    assert "warning: nothing uses the input 'unused'" in ended.err
    assert "greeting.yaml:7:11" in ended.err
    assert acr("recipe", "render", "greeting", "name=Ada").code == 0


def test_a_push_and_a_check_say_so_in_a_line(acr, engine, project) -> None:
    workflow = project / "workflows" / "greet.yaml"
    assert acr("validate", workflow).out == "✓ valid: 3 nodes, 2 edges\n"
    assert (
        acr("push", workflow, "--dry-run").out.splitlines()[1] == "nothing was stored (--dry-run)"
    )
    url = f"{engine['url']}/webhooks/named/greet/trigger"
    assert acr("push", workflow).out == f"✓ greet  {url}\n"
