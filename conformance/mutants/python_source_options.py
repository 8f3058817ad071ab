"""Defects of options, pages, redirects and runs, each on one of several paths: module, text, and what replaces it."""

from __future__ import annotations

_CLIENT = "arcrun._sync.client"
_CONFIG = "arcrun._core.config"
_CONNECTION = "arcrun._sync.connection"
_GRAPHS = "arcrun._core.graphs"
_OPERATIONS = "arcrun._core.operations"
_RESPONSE = "arcrun._core.response"
_RETRY = "arcrun._core.retry"
_SHAPES = "arcrun._core.shapes"
_WORKFLOWS = "arcrun._sync.workflows"

_BACKOFF = "min(LONGEST_DELAY, FIRST_DELAY * 2**attempt)"
_IS_SET = "if environment.get(VARIABLES[name]):"

DEFECTS: dict[str, list[tuple[str, str, str]]] = {
    # --- options -----------------------------------------------------------------------------
    "repeats-first-pages-only": [
        (
            _CONNECTION,
            "part = self.send(page(cursor))",
            "part = (self if cursor is None else self.with_options(None, 0)).send(page(cursor))",
        )
    ],
    "lists-some-executions-with-the-clients-options": [
        (
            _WORKFLOWS,
            "page = connection.send(operations.list_executions(name, limit))",
            "page = self._connection.send(operations.list_executions(name, limit))",
        )
    ],
    "takes-any-word-for-a-switch": [
        (_CLIENT, 'check_switch("allow_insecure_http", allow_insecure_http)', "pass")
    ],
    "takes-any-key-for-a-copy": [
        (_CONNECTION, 'else check_key(key, "the argument api_key")', "else key")
    ],
    "counts-characters-of-responses": [
        (
            "arcrun._core.decoding",
            "self._left -= len(part)\n",
            'self._left -= len(part.decode("utf-8", "ignore"))\n',
        )
    ],
    "prefers-the-key-of-the-file": [
        (
            _CONFIG,
            _IS_SET,
            'if environment.get(VARIABLES[name]) and not (name == "api_key" and file.get(name)):',
        )
    ],
    "takes-any-key-of-the-file": [
        (_CONFIG, 'Secret(key if isinstance(key, str) else "")', "Secret(str(key))")
    ],
    "allows-no-plain-http": [
        (
            _CLIENT,
            "allow_insecure_http=allow_insecure_http,\n",
            "allow_insecure_http=False,\n",
        )
    ],
    "runs-without-a-key": [
        (_WORKFLOWS, "connection.key()\n        if run_async", "if run_async"),
        (_OPERATIONS, "runs_workflow=True,", 'runs_workflow=True,\n        key="optional",'),
    ],
    # --- repetitions -------------------------------------------------------------------------
    "grows-fourfold": [(_RETRY, _BACKOFF, "min(LONGEST_DELAY, FIRST_DELAY * 4**attempt)")],
    "waits-half-of-each-delay-at-least": [
        (_RETRY, f"random.uniform(0, {_BACKOFF})", f"{_BACKOFF} * random.uniform(0.5, 1)")
    ],
    "reads-numbers-as-python-does": [
        (_RETRY, r'r"[0-9]+(\.[0-9]*)?", text.strip()', r'r"[0-9]+([._][0-9]*)?", text.strip()')
    ],
    "repeats-late-reads-only": [
        (
            _RETRY,
            "if isinstance(outcome, APIConnectionError):",
            (
                'if "Timeout" in type(outcome).__name__ and request.method != "GET":\n'
                "        return None\n    if isinstance(outcome, APIConnectionError):"
            ),
        )
    ],
    "repeats-pushes-after-5xx-only": [
        (
            _RETRY,
            "if outcome.status not in _STATUSES or",
            (
                'if outcome.status not in _STATUSES or (request.method == "POST" and '
                "outcome.status < 500) or"
            ),
        )
    ],
    "compiles-once": [
        (
            _OPERATIONS,
            'return Request("POST", "/cypher/search", read, body=body, key="none")',
            'return Request("POST", "/cypher/search", read, body=body, key="none", retryable=False)',
        )
    ],
}
