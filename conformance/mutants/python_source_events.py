"""Defects in following runs: module, text, and what replaces it."""

from __future__ import annotations

_RUNS = "arcrun._sync.runs"
_EVENTS = "arcrun._core.events"

DEFECTS: dict[str, list[tuple[str, str, str]]] = {
    "begins-events-anew-after-a-loss": [
        (_RUNS, 'after, came = event["id"], True', "came = True"),
    ],
    "reads-on-after-the-end-of-a-run": [(_RUNS, "if events.is_end(event):", "if False:")],
    "ends-lines-of-events-at-lf-only": [
        (_EVENTS, r're.compile(rb"\r\n|\r|\n")', r're.compile(rb"\n")')
    ],
    "keeps-the-last-line-of-an-event": [
        (_EVENTS, "self._data.append(value)", "self._data = [value]")
    ],
    "opens-streams-for-ever": [(_RUNS, "else fruitless + 1", "else fruitless")],
    "does-not-open-a-stream-again": [
        (_RUNS, "if fruitless > connection.max_retries:", "if fruitless:")
    ],
    "ignores-after-which-event": [(_RUNS, "events.check_event_id(after)", "None")],
    "asks-for-events-as-json": [(_EVENTS, '{"Accept": MEDIA_TYPE, ', "{")],
}
