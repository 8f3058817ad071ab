"""Typical mistakes: each message says what is wrong, where, and what to do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

import arcrun
from arcrun.cli.exits import exit_codes

FLOW = """\
name: greet
flow:
  - "input >> 完成後 >> 大寫"
config:
  大寫:
    component: string_ops
    operation: upper
    text: "{{input.text}}"
"""
PROMPT = """\
id: prompt_recipe:hello
inputs:
  - {var: name, from: input.name}
prompt_assembly:
  user: "Greet {{name}}."
tests:
  - name: ming
    inputs: {name: Ming}
    expect: {contains: [Greet Bob.]}
"""
API = """\
id: api_recipe:forecast
display_name: Forecast
description: weather
endpoint: https://api.example.com/weather
method: GET
"""
AUTH = """\
id: auth_recipe:weather
primitive: static_key
base_url: https://api.example.com
display_name: Weather
required_secrets:
  - {key: weather_key, label: Key, help_url: "https://example.com/help"}
inject:
  header: {Authorization: "Bearer {{secret.weather_key}}"}
"""
USES_RECIPE = """\
name: uses_recipe
flow:
  - "input >> 完成後 >> a"
config:
  a: {component: claude_api, recipe: "prompt_recipe:hello"}
"""
FAILS = """\
name: fails
flow:
  - "input >> 完成後 >> a"
config:
  a: {component: string_ops, operation: upper}
"""
UNKNOWN_KEY = "ak_" + "0" * 48
NO_RUN = "0" * 32
# A secret that was typed, a key, a traceback, and what only callers of the SDK can do.
NEVER = (
    *("hunter22", UNKNOWN_KEY, "Traceback"),
    *("client.", "Arcrun(", "allow_insecure_http", "yaml.safe_load", "base_url="),
)


@dataclass
class Mistake:
    """A mistake, and what must be said of it.

    Args:
        name: What is wrong.
        typed: What is typed after `acr`.
        exit_code: The exit code.
        code: The error code.
        says: What the message must contain: what, where, what to do.
        files: The files that are there, by name.
        env: Variables that are set.
        stdin: What standard input has.
    """

    name: str
    typed: str
    exit_code: int
    code: str
    says: tuple[str, ...]
    files: dict[str, str | bytes] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)
    stdin: str = ""


def workflow(name: str, old: str, new: str, code: str, *says: str) -> Mistake:
    """A mistake in a workflow document: `old` was replaced by `new`."""
    assert old in FLOW
    return Mistake(name, "push w.yaml", 2, code, says, {"w.yaml": FLOW.replace(old, new)})


def recipe(
    name: str, text: str, old: str, new: str, code: str, *says: str, exit_code: int = 2
) -> Mistake:
    """A mistake in a recipe."""
    assert old in text
    return Mistake(
        name, "recipe push r.yaml", exit_code, code, says, {"r.yaml": text.replace(old, new)}
    )


def typed(name: str, line: str, exit_code: int, code: str, *says: str, **more: Any) -> Mistake:
    """A mistake in what was typed."""
    return Mistake(name, line, exit_code, code, says, **more)


WORKFLOWS = [
    workflow("component_typo", "string_ops", "string_opz", "unknown_component",
             "'string_opz'", "did you mean 'string_ops'", "w.yaml:6:16"),
    workflow("edge_label_simplified", "完成後", "完成后", "invalid_graph",
             "'完成后' is not an edge label", "did you mean '完成後'", "w.yaml:3:15"),
    workflow("flow_line_with_two_parts", "input >> 完成後 >> 大寫", "input >> 大寫", "invalid_graph",
             "FROM >> EDGE >> TO", "this one has 2", "w.yaml:3"),
    workflow("flow_line_not_quoted_list", '- "input >> 完成後 >> 大寫"', "- [input, 完成後, 大寫]",
             "invalid_graph", "flow line 1 is not text", "quoted", "w.yaml:3:5"),
    workflow("flow_is_a_text", '\n  - "input >> 完成後 >> 大寫"', " input >> 完成後 >> 大寫",
             "invalid_graph", "flow must be a list of lines", "w.yaml:2:7"),
    workflow("no_flow", "flow:", "flows:", "invalid_graph", "no `flow`", "input >> 完成後 >> a"),
    workflow("placeholder_with_two_dots", "input.text", "input..text", "invalid_graph",
             "{{input..text}} is not a placeholder", "{{a.b.0.c}}", "w.yaml:8:12"),
    typed("placeholder_of_no_node", "push w.yaml --strict", 2, "invalid_graph", "{{inputt.text}}",
          "did you mean 'input'", "w.yaml:8:12", files={"w.yaml": FLOW.replace("input.text", "inputt.text")}),
    workflow("config_of_no_node", "  大寫:\n", "  大写:\n", "invalid_graph",
             "config names a node '大写'", "its nodes are: input, 大寫", "w.yaml:5:3"),
    workflow("config_of_a_node_is_text", "  大寫:\n    component: string_ops\n    operation: upper\n"
             '    text: "{{input.text}}"\n', "  大寫: string_ops\n", "invalid_graph",
             "'大寫' must be a mapping", "{component: set, …}", "w.yaml:5:7"),
    workflow("config_is_a_list", "config:\n  大寫:", "config:\n  - 大寫:", "invalid_graph",
             "config must map each node", "w.yaml:4:1"),
    workflow("tab", "    operation", "\toperation", "invalid_yaml",
             "a tab can't indent YAML; use spaces", "w.yaml:7:1"),
    workflow("key_twice", "operation: upper", "component: set", "invalid_yaml",
             "the key 'component' stands here a second time", "the first is on line 6", "w.yaml:7:5"),
    workflow("full_width_colon", "operation: upper", "operation：upper", "invalid_yaml",
             "full-width colon", "a colon and a space", "w.yaml:7:14"),
    workflow("no_quotes_around_braces", '"{{input.text}}"', "{{input.text}}", "invalid_yaml",
             "begins with `{{` must be in quotes", "w.yaml:8:11"),
    workflow("no_space_after_a_colon", "operation: upper", "operation:upper", "invalid_yaml",
             "a colon and a space must follow the key", "w.yaml:"),
    workflow("wrong_indentation", "    operation", "   operation", "invalid_yaml",
             "the indentation does not fit", "w.yaml:7:4"),
    workflow("quotation_mark_left_open", '"{{input.text}}"', '"{{input.text}}', "invalid_yaml",
             "the quotation mark that opens here is not closed", "w.yaml:8:11"),
    workflow("text_with_a_colon", "upper", "a: b", "invalid_yaml",
             "must be in quotes", "w.yaml:7:17"),
    workflow("text_with_an_at_sign", "upper", "@b", "invalid_yaml",
             "can't begin with `@`", "quotes", "w.yaml:7:16"),
    workflow("text_with_an_asterisk", "upper", "*b", "invalid_yaml",
             "`*b` is an alias", "quotes", "w.yaml:7:16"),
    workflow("control_character", "upper", "up\x07per", "invalid_yaml",
             "U+0007", "remove it", "w.yaml:7:18"),
    workflow("cron_with_four_fields", "config:", 'cron: {expr: "0 9 * *", timezone: Asia/Taipei}\nconfig:',
             "invalid_graph", "it has 4 fields", "minute, hour", "w.yaml:4:14"),
    workflow("unknown_time_zone", "config:", 'cron: {expr: "0 9 * * *", timezone: Asia/Taipe}\nconfig:',
             "invalid_graph", "'Asia/Taipe'", "did you mean 'Asia/Taipei'", "w.yaml:4:37"),
    workflow("retry_that_is_no_number", "component: string_ops", "component: string_ops\n    retry: {times: often}",
             "invalid_graph", "whole number from 0 to 20", "w.yaml:7:20"),
    workflow("bad_workflow_name", "name: greet", "name: 打招呼", "invalid_name",
             "'打招呼' is not a valid workflow name", "letters A-Z a-z", "w.yaml:1:7"),
    workflow("no_name", "name: greet\n", "", "invalid_name",
             "the workflow has no name", "write `name: NAME`"),
]  # fmt: skip

FILES = [
    typed("empty_file", "push w.yaml", 2, "invalid_yaml", "it is empty", "lines of `key: value`", files={"w.yaml": ""}),
    typed("list_instead_of_mapping", "push w.yaml", 2, "invalid_yaml", "it is a list", "must be a mapping", "w.yaml:1:1", files={"w.yaml": "- a\n"}),
    typed("text_instead_of_mapping", "push w.yaml", 2, "invalid_yaml", "a single value", "must be a mapping", files={"w.yaml": "hello\n"}),
    typed("number_as_key", "push w.yaml", 2, "invalid_yaml", "the key 1 is no text", "quotes", files={"w.yaml": "1: a\n"}),
    typed("file_in_big5", "push w.yaml", 2, "invalid_argument", "w.yaml is not UTF-8 (line 2)", "save it as UTF-8", files={"w.yaml": b"name: a\n# \xa4\xa4\xa4\xe5\n"}),
    typed("no_such_file", "push greet.yml", 3, "file_not_found", "there is no file greet.yml", "{folder}", "did you mean greet.yaml", files={"greet.yaml": FLOW}),
    typed("folder_instead_of_file", "push .", 2, "invalid_argument", ". is a folder", "name a file in it"),
    typed("stdin_empty", "push -", 2, "invalid_yaml", "the workflow", "it is empty"),
    typed("stdin_faulty", "push -", 2, "invalid_yaml", "a tab can't indent YAML", "<stdin>:2:1", stdin="a:\n\tb: 1\n"),
    typed("faulty_after_a_byte_order_mark", "push w.yaml", 2, "invalid_yaml", "second time", "w.yaml:2:1", files={"w.yaml": "\ufeffa: 1\na: 2\n"}),
    typed("faulty_with_windows_line_ends", "push w.yaml", 2, "unknown_component", "did you mean 'string_ops'", "w.yaml:6:16", files={"w.yaml": FLOW.replace("string_ops", "string_opz").replace("\n", "\r\n")}),
    typed("input_file_with_a_key_twice", "run greet -f in.json", 2, "invalid_yaml", "second time", "in.json:1:10", files={"in.json": '{"a": 1, "a": 2}'}),
    typed("input_file_not_closed", "run greet -f in.json", 2, "invalid_yaml", "a comma or `]` is missing here", "in.json:2:4", files={"in.json": '{"a": [1, 2\n"b": 3}'}),
    typed("input_from_empty_stdin", "run greet -f -", 2, "invalid_yaml", "<stdin>", "it is empty"),
]  # fmt: skip

RECIPES = [
    recipe("undeclared_variable", PROMPT, "{{name}}", "{{nam}}", "invalid_recipe",
           "nam", "did you mean", "r.yaml:5"),
    recipe("unknown_field", PROMPT, "prompt_assembly", "prompt_asembly", "invalid_recipe",
           "prompt_asembly", "prompt_assembly", "r.yaml:4:1"),
    recipe("inputs_as_mapping", PROMPT, "  - {var: name, from: input.name}", "  name: input.name",
           "invalid_recipe", "must be a list", "r.yaml:3:3"),
    recipe("unknown_transform", PROMPT, "from: input.name", "from: input.name, transform: uper",
           "invalid_recipe", "uper", "r.yaml:3"),
    recipe("kind_typo", PROMPT, "prompt_recipe:", "promt_recipe:", "invalid_recipe",
           "no kind of recipe 'promt_recipe'", "prompt_recipe, api_recipe, auth_recipe", "r.yaml:1:5"),
    recipe("api_method_typo", API, "GET", "GETT", "invalid_request",
           "'GET', 'POST'", "r.yaml:5:9"),
    recipe("api_endpoint_without_host", API, "https://api.example.com/weather", "/weather",
           "invalid_request", "endpoint: ", "begins with https://", "r.yaml:4:11"),
    recipe("auth_without_help_url", AUTH, ', help_url: "https://example.com/help"', "",
           "invalid_request", "help_url", "r.yaml:6:5"),
    recipe("auth_with_unknown_secret", AUTH, "{{secret.weather_key}}", "{{secret.key}}",
           "invalid_recipe", "{{secret.key}} has no value here", "secret.weather_key", "r.yaml:8:35"),
]  # fmt: skip

TYPED = [
    typed("unknown_command", "pussh w.yaml", 2, "invalid_argument", "no command acr pussh", "did you mean push", "acr --help"),
    typed("unknown_subcommand", "runs lits", 2, "invalid_argument", "no command acr runs lits", "did you mean list", "acr runs --help"),
    typed("unknown_option", "push w.yaml --nmae x", 2, "invalid_argument", "acr push has no option --nmae", "did you mean --name", "acr push --help"),
    typed("missing_argument", "push", 2, "invalid_argument", "the argument FILE is missing", "acr push --help"),
    typed("option_without_value", "push w.yaml --name", 2, "invalid_argument", "the option --name needs a value"),
    typed("number_that_is_none", "runs list --limit many", 2, "invalid_argument", "--limit must be a whole number"),
    typed("limit_of_zero", "workflows list --limit 0", 2, "invalid_argument", "limit", "1 or more"),
    typed("status_that_is_none", "runs list --status ok", 2, "invalid_argument", "--status must be one of", "succeeded"),
    typed("input_without_equals", "run greet text", 2, "invalid_argument", "'text' has no `=`", "KEY=VALUE"),
    typed("bad_json_after_colon_equals", "run greet count:=three", 2, "invalid_argument", "after count:= is not JSON", "write count=VALUE"),
    typed("secret_as_argument", "creds push token hunter22", 2, "invalid_argument", "takes no more arguments", "never typed as an argument"),
    typed("secret_empty", "creds push token", 2, "invalid_argument", "the value is empty", "pipe it in"),
    typed("bad_credential_name", "creds push my-token", 2, "invalid_argument", "is not a valid credential name", "letters A-Z a-z, digits and _", stdin="x\n"),
    typed("delete_without_yes", "creds delete token", 2, "invalid_argument", "acr creds delete token can't be undone", "--yes"),
    typed("credential_unknown", "creds delete tokn --yes", 3, "credential_not_found", "'tokn'", "did you mean 'token'", "acr creds list"),
    typed("workflow_unknown", "run gret", 3, "workflow_not_found", "'gret'", "did you mean 'greet'", "acr workflows list"),
    typed("workflow_to_delete_unknown", "workflows delete gret --yes", 3, "workflow_not_found", "'gret'", "did you mean 'greet'"),
    typed("run_id_shortened", "runs get 12ab", 2, "invalid_argument", "32 hex digits", "acr runs list"),
    typed("run_unknown", f"runs get {NO_RUN}", 3, "run_not_found", NO_RUN, "acr runs list"),
    typed("component_unknown", "components get string_opz", 3, "component_not_found", "string_opz", "did you mean 'string_ops'", "acr components search"),
    typed("recipe_unknown", "recipe get helo", 3, "recipe_not_found", "helo", "did you mean 'hello'", "acr recipe list"),
    typed("recipe_name_invalid", "recipe get Hello!", 2, "invalid_argument", "'Hello!' is not a valid recipe name", "lower-case", "acr recipe list"),
    typed("version_unknown", "recipe get hello@9", 3, "recipe_not_found", "hello", "9"),
    typed("label_unknown", "recipe get hello@productoin", 3, "recipe_not_found", "productoin"),
    typed("label_to_unknown_version", "recipe label hello production 9", 3, "recipe_not_found", "9"),
    typed("version_where_all_are_meant", "recipe versions hello@1", 2, "invalid_argument", "names a version", "write 'hello'"),
    typed("two_versions", "recipe get hello@1 --version 2", 2, "invalid_argument", "one version"),
    typed("expected_version_passed_by", "recipe push r.yaml --expected-version 7", 6, "version_conflict", "the newest version is 1", "push with its number", files={"r.yaml": PROMPT}),
    typed("recipe_in_use", "recipe delete hello --yes", 6, "recipe_in_use", "uses_recipe"),
    typed("label_that_needs_tests", "recipe label hello production 1 --requires-tests", 6, "tests_failed", "ming"),
    typed("value_missing_in_a_prompt", "recipe render hello", 1, "missing_value", "name"),
    typed("page_unknown", "kb get no-such-page", 3, "page_not_found", "'no-such-page'", "acr kb search"),
    typed("failing_run", "run fails", 5, "run_failed", "`text` is missing", "Node a", "acr runs get"),
    typed("code_unknown", "explain invalid_grap", 3, "code_not_found", "'invalid_grap'", "invalid_graph", "acr explain"),
]  # fmt: skip

SETTINGS = [
    typed("unknown_key", "workflows list", 4, "unknown_api_key", "unknown or was revoked", env={"ARCRUN_API_KEY": UNKNOWN_KEY}),
    typed("no_key", "workflows list", 4, "missing_api_key", "needs an API key", "set ARCRUN_API_KEY", "~/.arcrun/config.yaml", "acr login", env={"ARCRUN_API_KEY": ""}),
    typed("key_with_a_line_break", "workflows list", 1, "invalid_configuration", "the variable ARCRUN_API_KEY", "line break", "copy it again", env={"ARCRUN_API_KEY": UNKNOWN_KEY + "\n"}),
    typed("key_in_quotation_marks", "workflows list", 1, "invalid_configuration", "the variable ARCRUN_API_KEY", "quotation mark", env={"ARCRUN_API_KEY": f"“{UNKNOWN_KEY}”"}),
    typed("base_url_without_scheme", "workflows list", 1, "invalid_configuration", "the variable ARCRUN_BASE_URL is not a base URL", "http://127.0.0.1:8787", env={"ARCRUN_BASE_URL": "localhost"}),
    typed("base_url_with_a_path", "workflows list", 1, "not_found", "is the base URL an arcrun engine?", "/api/webhooks/named", "acr auth status", env={"ARCRUN_BASE_URL": "{url}/api"}),
    typed("nothing_listens", "workflows list", 7, "unreachable", "http://127.0.0.1:1/", "is the engine running", "acr doctor", env={"ARCRUN_BASE_URL": "http://127.0.0.1:1"}),
    typed("host_unknown", "workflows list", 7, "unreachable", "engine.invalid", "check the base URL", env={"ARCRUN_BASE_URL": "https://engine.invalid"}),
    typed("https_to_an_http_port", "workflows list", 7, "unreachable", "No TLS is spoken there", "write http://", env={"ARCRUN_BASE_URL": "{secure_url}"}),
    typed("plain_http_to_another_machine", "workflows list", 4, "insecure_transport", "http://engine.example is plain http", "Use https", env={"ARCRUN_BASE_URL": "http://engine.example"}),
    typed("proxy_down", "workflows list", 7, "unreachable", "Check the proxy (HTTPS_PROXY", "NO_PROXY", env={"ARCRUN_BASE_URL": "https://engine.invalid", "HTTPS_PROXY": "http://127.0.0.1:1"}),
    typed("proxy_malformed", "workflows list", 1, "invalid_configuration", "the proxy that the environment sets", "HTTPS_PROXY", env={"ARCRUN_BASE_URL": "https://engine.invalid", "HTTPS_PROXY": "ftp://127.0.0.1:1"}),
    typed("profile_unknown", "--profile prod workflows list", 1, "invalid_configuration", "no profile 'prod'", "config.yaml"),
    typed("certificates_file_missing", "workflows list", 1, "invalid_configuration", "SSL_CERT_FILE", env={"SSL_CERT_FILE": "/no/such.pem", "ARCRUN_BASE_URL": "https://engine.invalid"}),
    typed("credential_format_unknown", "creds list", 1, "invalid_configuration", "ARCRUN_CREDENTIAL_FORMAT", "'sealed' or 'plain'", env={"ARCRUN_CREDENTIAL_FORMAT": "clear"}),
]  # fmt: skip

MISTAKES = [*WORKFLOWS, *FILES, *RECIPES, *TYPED, *SETTINGS]


@pytest.fixture(scope="module")
def account(served: dict[str, Any]) -> dict[str, str]:
    """An account with what the mistakes are about."""
    import yaml

    key = next(served["keys"])
    with arcrun.Arcrun(key, base_url=served["url"]) as client:
        client.recipes.push(PROMPT)
        for text in (FLOW, USES_RECIPE, FAILS):
            document = yaml.safe_load(text)
            client.workflows.push(document["name"], document)
        client.creds.push("token", "s3cret-value")
    return {
        "url": served["url"],
        "secure_url": served["url"].replace("http:", "https:"),
        "key": key,
    }


@pytest.fixture
def mistaken(account, monkeypatch, tmp_path, acr):
    """Make a mistake, and return what came of it."""

    def make(mistake: Mistake, *options: str):
        folder = tmp_path / "folder"
        folder.mkdir(exist_ok=True)
        monkeypatch.chdir(folder)
        for name, content in mistake.files.items():
            data = content if isinstance(content, bytes) else content.encode()
            (folder / name).write_bytes(data)
        settings = {"ARCRUN_BASE_URL": "{url}", "ARCRUN_API_KEY": account["key"], **mistake.env}
        for name, value in settings.items():
            filled = value.replace("{url}", account["url"])
            filled = filled.replace("{secure_url}", account["secure_url"])
            monkeypatch.setenv(name, filled)
        arguments = [*options, *mistake.typed.split()]
        return acr(*arguments, stdin=mistake.stdin), str(folder)

    return make


@pytest.fixture(autouse=True)
def no_cached_certificates() -> Iterator[None]:
    """A process reads the certificates once: here each test is one."""
    from arcrun._http import ssl_context

    ssl_context.cache_clear()
    yield
    ssl_context.cache_clear()


def test_there_are_at_least_60_mistakes_of_different_names() -> None:
    assert len({mistake.name for mistake in MISTAKES}) == len(MISTAKES) >= 60


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_the_message_says_what_is_wrong_where_and_what_to_do(mistaken, mistake) -> None:
    ended, folder = mistaken(mistake)
    for phrase in mistake.says:
        assert phrase.replace("{folder}", folder) in ended.err
    assert f"error[{mistake.code}]: " in ended.err
    assert ended.code == mistake.exit_code
    assert ended.code in exit_codes()
    assert ended.out == ""
    for never in NEVER:
        assert never not in ended.err


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_in_json_it_is_one_object(mistaken, mistake) -> None:
    ended, _ = mistaken(mistake, "--json")
    error = json.loads(ended.err)
    assert (ended.code, error["code"], ended.out) == (mistake.exit_code, mistake.code, "")
    assert error["message"]
    assert all(isinstance(step, str) and step for step in error["next"])
    for detail in error.get("details", []):
        assert detail["message"]
        assert ("line" in detail) == ("column" in detail)
