"""Defects in what is asked of language models, and in what is made of their answers."""

from __future__ import annotations

import json
from typing import Any

from arcrun_server.components import claude_api
from arcrun_server.engine.failures import InvocationFailure
from arcrun_server.llm import answers, anthropic, failures, mira, scripted
from arcrun_server.llm.provider import LlmError, LlmReply
from arcrun_server.outbound import Outbound
from arcrun_server.recipes import prompt_component, prompts
from arcrun_server.recipes.prompt import document, output

# What is asked


def system_is_joined_into_the_user_s_message() -> None:
    right = anthropic.AnthropicProvider._parameters

    def parameters(self: Any, request: Any) -> Any:
        made = right(self, request)
        for block in made.pop("system", ()):
            first = {**made["messages"][0]}
            first["content"] = f"{block['text']}\n\n--- USER ---\n\n{first['content']}"
            made["messages"] = [first, *made["messages"][1:]]
        return made

    anthropic.AnthropicProvider._parameters = parameters


def short_names_of_models_are_sent() -> None:
    right = claude_api.Model._request

    def request(self: Any, given: Any, deadline: Any) -> Any:
        self._models.ids.clear()
        return right(self, given, deadline)

    claude_api.Model._request = request


def system_is_not_cached() -> None:
    right = anthropic.AnthropicProvider._parameters

    def parameters(self: Any, request: Any) -> Any:
        made = right(self, request)
        for block in made.get("system", ()):
            del block["cache_control"]
        return made

    anthropic.AnthropicProvider._parameters = parameters


def closed_schemas_are_not_sent() -> None:
    prompt_component.is_closed = lambda _schema: False


def open_schemas_are_sent() -> None:
    prompt_component.is_closed = lambda schema: isinstance(schema, dict)


def daemons_get_texts_without_a_separator() -> None:
    mira.SEPARATORS = dict.fromkeys(mira.SEPARATORS, "\n")


def models_at_private_addresses_are_asked() -> None:
    right = anthropic.AnthropicProvider.__init__

    def begin(self: Any, _outbound: Any, *arguments: Any) -> None:
        right(self, Outbound(development=True), *arguments)

    anthropic.AnthropicProvider.__init__ = begin


def engines_without_a_model_answer() -> None:
    async def complete(_self: Any, request: Any, _secret: Any) -> LlmReply:
        return LlmReply("OK", request.model)

    scripted.ScriptedProvider.complete = complete


def repairs_leave_the_error_out() -> None:
    output._repair_request = lambda _error: "Answer again."


def answers_are_always_repaired() -> None:
    right = prompt_component._Call.__init__

    def begin(self: Any, given: Any, wanted: Any, *more: Any) -> None:
        object.__setattr__(wanted, "repair", max(wanted.repair, 1))
        right(self, given, wanted, *more)

    prompt_component._Call.__init__ = begin


# What is read


def stop_reasons_are_not_looked_at() -> None:
    answers.Answer.read = answers.Answer._reply


def refusals_are_repaired() -> None:
    right = claude_api.Model.ask

    async def ask(self: Any, *arguments: Any) -> Any:
        try:
            return await right(self, *arguments)
        except LlmError as error:
            if error.kind != "refused":
                raise
            return "No.", error.record

    claude_api.Model.ask = ask


def thoughts_are_part_of_the_answer() -> None:
    right = answers.Answer._add_text

    def add(self: Any, event: Any, part: Any, kind: str) -> None:
        right(self, event, part, kind)
        if getattr(part, "type", None) == kind.replace("text", "thinking"):
            self._texts.setdefault(event.index, []).append(part.thinking)

    answers.Answer._add_text = add


def prose_is_searched_for_json() -> None:
    right = output.parse_json

    def parse(text: str) -> Any:
        try:
            return right(text)
        except output.OutputError:
            begin = text.find("{")
            if begin < 0:
                raise
            return {"title": "found"} | json.loads(text[begin:])

    output.parse_json = parse


def answers_steer_the_run() -> None:
    output._steers = lambda _name, _item: False


# What is recorded


def cached_tokens_are_not_counted() -> None:
    right = answers.Answer._reply

    def reply(self: Any) -> Any:
        made = right(self)
        object.__setattr__(made, "input_tokens", self._counts.get("input_tokens"))
        return made

    answers.Answer._reply = reply


def repairs_count_the_last_call_only() -> None:
    prompt_component._added = lambda _before, value: value


# When it fails


def failures_lose_what_was_used() -> None:
    right = InvocationFailure.__init__

    def begin(self: Any, reason: str, _record: Any = None, **kind: Any) -> None:
        right(self, reason, **kind)

    InvocationFailure.__init__ = begin


def limited_requests_are_asked_again() -> None:
    failures._retry_after = lambda _headers: 0.0


def long_waits_are_cut_short() -> None:
    right = failures._retry_after

    def seconds(headers: Any) -> Any:
        wait = right(headers)
        return wait and min(wait, 0.1)

    failures._retry_after = seconds


def busy_services_are_asked_once() -> None:
    failures._retry_after = lambda _headers: None


def errors_repeat_the_prompt() -> None:
    failures._said = lambda message, _request, _key: str(message)


def errors_keep_the_service_s_reason() -> None:
    failures._said = lambda _message, _request, _key: ""


def errors_show_the_key() -> None:
    right = failures.failure_of

    def failure(error: Any, request: Any, key: str) -> LlmError:
        made = right(error, request, key)
        return LlmError(made.kind, f"{made} ({error.api_message})", retry_after=made.retry_after)

    anthropic.failure_of = failure


# Recipes


def tests_of_recipes_always_pass() -> None:
    right = prompts.run_test

    async def run(*arguments: Any) -> Any:
        made = await right(*arguments)
        object.__setattr__(made, "failures", type(made.failures)())
        return made

    prompts.run_test = run


def recipes_as_objects_have_any_length() -> None:
    document._check_value = lambda _value: None
