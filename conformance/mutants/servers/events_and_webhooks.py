"""Defects in events of runs, and in webhooks that trigger workflows."""

from __future__ import annotations

import re
import secrets
from dataclasses import replace
from typing import Any

from arcrun_server.engine import webhook
from arcrun_server.routes import hooks, run_events
from arcrun_server.runs import accepted, events, segments
from arcrun_server.runs.events import BEFORE_ALL, Position
from arcrun_server.store import idempotency
from arcrun_server.store.hook_ids import HookIds
from arcrun_server.store.workflows import Workflows
from arcrun_server.web import webhook_signature

# Events of runs


def begins_events_anew() -> None:
    run_events._last_event = lambda _request: BEFORE_ALL


def sends_the_known_event_again() -> None:
    right = run_events._last_event

    def last_event(request: Any) -> Position:
        position = right(request)
        return position._replace(number=position.number - 1)

    run_events._last_event = last_event


def takes_ids_of_no_event() -> None:
    run_events.last_position = lambda _run: Position(1_000_000_000, 0)


def shows_results_in_events() -> None:
    right = events._node

    def node(position: Position, entry: Any) -> Any:
        event = right(position, entry)
        return event._replace(data={**event.data, "output": entry["output"]})

    events._node = node


def nodes_that_wait_are_done() -> None:
    events.awaited_task = lambda _output: None


def pauses_are_no_events() -> None:
    right = segments.summary_of

    def summary_of(run: Any, result: Any) -> Any:
        return {name: value for name, value in right(run, result).items() if name != "pauses"}

    segments.summary_of = accepted.summary_of = summary_of


# Webhooks


def takes_webhooks_of_anybody() -> None:
    hooks.is_signed = lambda *_given: True


def takes_old_webhooks() -> None:
    _with_time(min)


def takes_webhooks_from_the_future() -> None:
    _with_time(max)


def _with_time(choose: Any) -> None:
    """Take the time of sending for the present, if it is the one that is chosen of both."""
    right = hooks.read_signed

    def read_signed(headers: Any, now: float) -> Any:
        return right(headers, choose([now, *map(float, headers["webhook-timestamp"])]))

    hooks.read_signed = read_signed


def signs_without_the_id() -> None:
    right = hooks.is_signed
    hooks.is_signed = lambda signed, *more: right(replace(signed, id=""), *more)


def knows_one_secret() -> None:
    right = hooks.read_secrets
    hooks.read_secrets = lambda text: right(text)[:1]


def takes_empty_secrets() -> None:
    webhook_signature.FEWEST_BYTES = 0


def runs_each_webhook_anew() -> None:
    _with_key(lambda _key: secrets.token_hex())


def one_run_for_all_webhooks() -> None:
    _with_key(lambda key: key.rpartition(" ")[0])


def _with_key(key_of: Any) -> None:
    right = hooks.Once

    def once(key: str, _request: bytes, respond: Any) -> Any:
        return right(key_of(key), b"", respond)

    hooks.Once = once


def hands_all_headers_on() -> None:
    hooks._chosen = lambda request, _webhook: dict(request.headers)


def keeps_the_last_of_repeated_names() -> None:
    hooks._collected = dict


def drops_empty_fields_of_webhooks() -> None:
    right = hooks._read_pairs
    hooks._read_pairs = lambda content, what: [pair for pair in right(content, what) if pair[1]]


def lets_authorization_be_listed() -> None:
    webhook.NEVER_INPUT = frozenset()
    webhook._SECRET = re.compile("(?!)")


def lists_no_hook_urls() -> None:
    async def with_webhook(*_given: Any) -> frozenset[str]:
        return frozenset()

    Workflows.with_webhook = with_webhook


def has_a_new_hook_each_time() -> None:
    HookIds.write = lambda _ids, *_given: secrets.token_urlsafe(40)


def reads_headers_as_latin_1() -> None:
    hooks._text_of = lambda _name, values: ", ".join(values)


def takes_any_number_of_fields() -> None:
    hooks.MOST_FIELDS = 10**9


def keeps_keys_of_runs_for_ever() -> None:
    idempotency.KEPT_SECONDS = 10**9
