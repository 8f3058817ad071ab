"""The calls by which the two faces of the table of commands are compared: each tool's success and its failures."""

from __future__ import annotations

from typing import Any

from scripts.parity.faces.comparison import (
    DURATION,
    HIDDEN,
    OWN_ID,
    OWN_TIME,
    OWN_WORDS,
    RACE,
    Case,
)

GREET = """\
name: greet
flow: ["input >> 完成後 >> 大寫"]
config:
  大寫: {component: string_ops, operation: upper, text: "{{input.text}}"}
"""
FAILS = """\
name: fails
flow: ["input >> 完成後 >> a"]
config:
  a: {component: string_ops, operation: upper}
"""
PAUSES = """\
name: pauses
flow: ["input >> 完成後 >> ask"]
config:
  ask: {component: "$pending"}
"""
WAITS = """\
name: waits
flow: ["input >> 完成後 >> a"]
config:
  a: {component: wait, seconds: 20}
"""
HELLO = """\
id: prompt_recipe:hello
description: Greet a person
inputs:
  - {var: name, from: input.name}
prompt_assembly:
  user: "Greet {{name}}."
tests:
  - name: ming
    inputs: {name: Ming}
    expect: {contains: [Greet Bob.]}
"""
USES_HELLO = """\
name: uses
flow: ["input >> 完成後 >> a"]
config:
  a: {component: claude_api, recipe: "prompt_recipe:hello"}
"""
LIKE_A_TOKEN = "ghp" + "0123456789abcdefghij"
NO_RUN = "0" * 32
_BLOCK = "7a4e456e-1b0f-406a-8842-5e01d1cf1eef"

Call = tuple[str, dict[str, Any]]
_GREET: Call = ("workflow_push", {"workflow": GREET})
_FAILS: Call = ("workflow_push", {"workflow": FAILS})
_WAITS: Call = ("workflow_push", {"workflow": WAITS})
_PAUSES: Call = ("workflow_push", {"workflow": PAUSES})
_HELLO: Call = ("prompt_recipe_push", {"recipe": HELLO})
_USES: Call = ("workflow_push", {"workflow": USES_HELLO})
_RUN: Call = ("workflow_run", {"name": "greet", "input": {"text": "a"}})
_RUNNING: Call = ("workflow_run", {"name": "waits", "wait": False})
_PAUSED: Call = ("workflow_run", {"name": "pauses"})
_PAGE: Call = ("kb_put", {"page_name": "notes", "content": "雨天 rain"})

_TIMES = {"created_at": OWN_TIME, "updated_at": OWN_TIME}
_OF_RUN = {
    "run_id": OWN_ID,
    "created_at": OWN_TIME,
    "started_at": OWN_TIME,
    "ended_at": OWN_TIME,
    "duration_ms": DURATION,
}
_OF_PAUSE = {
    "run_id": OWN_ID,
    "created_at": OWN_TIME,
    "started_at": OWN_TIME,
    "duration_ms": DURATION,
}
_OF_RESUMED = {
    "run_id": OWN_ID,
    "task_id": OWN_ID,
    "trace.*.output.task_id": OWN_ID,
    "trace.*.duration_ms": DURATION,
}
_RUN_NAMED = {"run_id": "$run_id"}

WORKFLOWS = (
    Case("workflow_push", {"workflow": GREET}, excuses={"created_at": OWN_TIME}),
    Case("workflow_push", {"workflow": GREET, "name": "other"}, excuses={"created_at": OWN_TIME}),
    Case("workflow_push", {"workflow": GREET.replace("operation", "opration")}, excuses={"created_at": OWN_TIME}),
    Case("workflow_push", {"workflow": GREET.replace("string_ops", "string_opz")}, "unknown_component"),
    Case("workflow_push", {"workflow": "a: [1"}, "invalid_yaml"),
    Case("workflow_push", {"workflow": GREET, "name": "打招呼"}, "invalid_name"),
    Case("workflow_validate", {"workflow": GREET}),
    Case("workflow_validate", {"workflow": GREET.replace("完成後", "完成后")}, "invalid_graph"),
    Case("workflow_validate", {"workflow": "a: [1"}, "invalid_yaml"),
    Case("workflow_run", _RUN[1], before=(_GREET,), excuses=_OF_RUN),
    Case("workflow_run", {"name": "greet", "wait": False}, before=(_GREET,), excuses={"run_id": OWN_ID}),
    Case("workflow_run", {"name": "pauses"}, before=(_PAUSES,), excuses={**_OF_PAUSE, "task_id": OWN_ID}),
    Case("workflow_run", {"name": "gret"}, "workflow_not_found", before=(_GREET,)),
    Case("workflow_run", {"name": LIKE_A_TOKEN}, "workflow_not_found", excuses={"message": HIDDEN}),
    Case("workflow_run", {"name": "fails"}, "run_failed", before=(_FAILS,),
         excuses={"message": OWN_ID, "details.*.run_id": OWN_ID, "next.*": OWN_ID}),
    Case("workflow_list", before=(_GREET, _FAILS)),
    Case("workflow_list", {"limit": 1}, before=(_GREET, _FAILS)),
    Case("workflow_list", {"limit": 0}, "invalid_argument"),
    Case("workflow_get", {"name": "greet"}, before=(_GREET,)),
    Case("workflow_get", {"name": "gret"}, "workflow_not_found", before=(_GREET,)),
    Case("workflow_get", {"name": "打招呼"}, "invalid_argument"),
    Case("workflow_delete", {"name": "greet"}, before=(_GREET,)),
    Case("workflow_delete", {"name": "gret"}, "workflow_not_found", before=(_GREET,)),
)  # fmt: skip
RUNS = (
    Case("run_list", before=(_GREET, _RUN, _RUN)),
    Case("run_list", {"workflow": "greet", "status": "succeeded", "limit": 1}, before=(_GREET, _RUN, _RUN)),
    Case("run_list", {"status": "ended"}, "invalid_argument", excuses={"message": OWN_WORDS, "next": OWN_WORDS}),
    Case("run_list", {"limit": 0}, "invalid_argument"),
    Case("run_get", _RUN_NAMED, before=(_GREET, _RUN)),
    Case("run_get", _RUN_NAMED, before=(_PAUSES, _PAUSED)),
    Case("run_get", {"run_id": NO_RUN}, "run_not_found"),
    Case("run_get", {"run_id": "12ab"}, "invalid_argument"),
    Case("run_cancel", _RUN_NAMED, before=(_WAITS, _RUNNING),
         excuses={"run_id": OWN_ID, "created_at": OWN_TIME, "ended_at": OWN_TIME, "started_at": RACE,
                  "started_at (only in one)": RACE, "duration_ms": DURATION}),
    Case("run_cancel", {"run_id": NO_RUN}, "run_not_found"),
    Case("run_cancel", _RUN_NAMED, "conflict", before=(_GREET, _RUN), excuses={"message": OWN_ID}),
    Case("run_retry", _RUN_NAMED, before=(_GREET, _RUN), excuses={"run_id": OWN_ID}),
    Case("run_retry", {"run_id": NO_RUN}, "run_not_found"),
    Case("run_retry", {**_RUN_NAMED, "from_node": "nowhere"}, "conflict", before=(_GREET, _RUN),
         excuses={"message": OWN_ID}),
    Case("run_retry", _RUN_NAMED, "conflict", before=(_WAITS, _RUNNING), excuses={"message": OWN_ID}),
    Case("run_resume", {"task_id": "$task_id", "data": {"answer": 1}}, before=(_PAUSES, _PAUSED),
         excuses=_OF_RESUMED),
    Case("run_resume", {"task_id": "$task_id", "error": "no"}, before=(_PAUSES, _PAUSED),
         excuses=_OF_RESUMED),
    Case("run_resume", {"task_id": "nothing"}),
    Case("run_resume", {"task_id": ""}, "invalid_argument"),
)  # fmt: skip
RECIPES = (
    Case("prompt_recipe_list", before=(_HELLO,)),
    Case("prompt_recipe_list", {"kind": "auth_recipe", "limit": 2}),
    Case("prompt_recipe_list", {"kind": "recipe"}, "invalid_argument", excuses={"message": OWN_WORDS, "next": OWN_WORDS}),
    Case("prompt_recipe_get", {"name": "hello"}, before=(_HELLO,)),
    Case("prompt_recipe_get", {"name": "auth_recipe:notion"}),
    Case("prompt_recipe_get", {"name": "helo"}, "recipe_not_found", before=(_HELLO,)),
    Case("prompt_recipe_get", {"name": "hello@9"}, "recipe_not_found", before=(_HELLO,)),
    Case("prompt_recipe_get", {"name": "Hello!"}, "invalid_argument"),
    Case("prompt_recipe_push", {"recipe": HELLO, "message": "first", "expected_version": 0},
         excuses={"created_at": OWN_TIME}),
    Case("prompt_recipe_push", {"recipe": HELLO, "expected_version": 7}, "version_conflict", before=(_HELLO,)),
    Case("prompt_recipe_push", {"recipe": HELLO.replace("{{name}}", "{{nam}}")}, "invalid_recipe"),
    Case("prompt_recipe_push", {"recipe": "id: promt_recipe:hello"}, "invalid_recipe"),
    Case("prompt_recipe_push", {"recipe": ""}, "invalid_yaml"),
    Case("prompt_recipe_delete", {"name": "hello"}, before=(_HELLO,)),
    Case("prompt_recipe_delete", {"name": "helo"}, "recipe_not_found", before=(_HELLO,)),
    Case("prompt_recipe_delete", {"name": "hello"}, "recipe_in_use", before=(_HELLO, _USES)),
    Case("prompt_recipe_render", {"name": "hello", "inputs": {"name": "Ming"}}, before=(_HELLO,)),
    Case("prompt_recipe_render", {"name": "hello", "inputs": {"name": "Ming"}, "recipe": HELLO}),
    Case("prompt_recipe_render", {"name": "hello"}, "missing_value", before=(_HELLO,)),
    Case("prompt_recipe_render", {"name": "helo"}, "recipe_not_found", before=(_HELLO,)),
    Case("prompt_recipe_test", {"name": "hello"}, before=(_HELLO,)),
    Case("prompt_recipe_test", {"name": "hello", "recipe": HELLO}),
    Case("prompt_recipe_test", {"name": "helo"}, "recipe_not_found", before=(_HELLO,)),
)  # fmt: skip
OTHERS = (
    Case("component_search", {"query": "大寫 upper", "limit": 2}),
    Case("component_search", {"query": "hash", "limit": 0}, "invalid_argument"),
    Case("component_get", {"id": "string_ops"}),
    Case("component_get", {"id": "string_opz"}, "component_not_found"),
    Case("kb_search", {"query": "rain"}, before=(_PAGE,)),
    Case("kb_search", {"query": "rain", "limit": 0}, "invalid_argument"),
    Case("kb_get", {"page_name": "notes"}, before=(_PAGE,)),
    Case("kb_get", {"block_id": "$id"}, before=(_PAGE,)),
    Case("kb_get", {"page_name": "nowhere"}, "page_not_found"),
    Case("kb_get", {"block_id": _BLOCK}, "block_not_found"),
    Case("kb_get", {}, "invalid_argument"),
    Case("kb_put", {"page_name": "notes", "content": "雨", "type": "template"}, excuses={"id": OWN_ID, **_TIMES}),
    Case("kb_put", {"page_name": "notes", "content": "雨", "block_id": _BLOCK}, excuses=_TIMES),
    Case("kb_put", {"page_name": "notes", "content": "雨", "replace": True}, before=(_PAGE,),
         excuses={"id": OWN_ID, **_TIMES}),
    Case("kb_put", {"page_name": "notes", "content": "雨", "replace": True}, "page_has_blocks", before=(_PAGE, _PAGE)),
    Case("kb_put", {"page_name": "notes", "content": "雨", "block_id": _BLOCK}, "conflict",
         before=(("kb_put", {"page_name": "notes", "content": "a", "block_id": _BLOCK}),)),
    Case("service_list", {"limit": 3}),
    Case("service_list", {"limit": 0}, "invalid_argument"),
)  # fmt: skip

CASES = (*WORKFLOWS, *RUNS, *RECIPES, *OTHERS)

# An argument of each tool that is required, or one that it takes: for the failures that each tool has.
ARGUMENTS: dict[str, dict[str, Any]] = {
    "workflow_push": {"workflow": GREET},
    "workflow_validate": {"workflow": GREET},
    "workflow_run": {"name": "greet"},
    "workflow_list": {},
    "workflow_get": {"name": "greet"},
    "workflow_delete": {"name": "greet"},
    "run_list": {},
    "run_get": {"run_id": NO_RUN},
    "run_cancel": {"run_id": NO_RUN},
    "run_retry": {"run_id": NO_RUN},
    "run_resume": {"task_id": "t"},
    "prompt_recipe_list": {},
    "prompt_recipe_get": {"name": "hello"},
    "prompt_recipe_push": {"recipe": HELLO},
    "prompt_recipe_delete": {"name": "hello"},
    "prompt_recipe_render": {"name": "hello"},
    "prompt_recipe_test": {"name": "hello"},
    "component_search": {"query": "hash"},
    "component_get": {"id": "hash"},
    "kb_search": {"query": "rain"},
    "kb_get": {"page_name": "notes"},
    "kb_put": {"page_name": "notes", "content": "a"},
    "service_list": {},
}
