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
        (_CLIENT, 'check_flag("allow_insecure_http", allow_insecure_http)', "pass")
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
    # --- lists, redirects and responses ------------------------------------------------------
    "takes-odd-executions": [
        (
            _OPERATIONS,
            'return page_of("executions")(object_of(content, "data"))',
            (
                'data = object_of(content, "data")\n'
                '        return Page(list(data["executions"]), data.get("next_cursor"))'
            ),
        )
    ],
    "remembers-the-last-cursor-only": [(_CONNECTION, "seen.add(cursor)", "seen = {None, cursor}")],
    "follows-redirects-of-compilations": [
        (
            _CONNECTION,
            ", follow_redirects=False",
            ', follow_redirects=request.path == "/cypher/search"',
        )
    ],
    "names-the-target-of-301-only": [
        (
            _RESPONSE,
            'f"{target}, which',
            "f\"{target if response.status == 301 else 'another address'}, which",
        )
    ],
    "takes-pushes-without-a-name": [
        (
            _OPERATIONS,
            'read = with_field("name", str)\n    return Request("POST", "/credentials"',
            'read = with_field("success", bool)\n    return Request("POST", "/credentials"',
        )
    ],
    "keeps-fields-of-lists-in-ascii-only": [
        (
            _OPERATIONS,
            'items = cast("Any", field_of(content, key, list))',
            (
                "items = [{k: each[k] for k in each if k.isascii()} if isinstance(each, dict) else each "
                "for each in field_of(content, key, list)]"
            ),
        )
    ],
    # --- documents and arguments -------------------------------------------------------------
    "pushes-graphs-under-their-own-names": [
        (
            _WORKFLOWS,
            '{**graph, "id": name, "name": name}',
            '{"id": name, "name": name, **graph}',
        )
    ],
    "drops-settings-that-are-empty": [
        (_GRAPHS, "and k not in fields}", "and k not in fields and v}")
    ],
    "names-the-first-missing-node": [(_GRAPHS, "for item in missing)", "for item in missing[:1])")],
    "sends-strict-if-it-is-true": [(_OPERATIONS, "if strict is not None:", "if strict:")],
    "takes-zero-for-no-limit": [
        (_WORKFLOWS, "if limit is not None:", "if limit:"),
        (_OPERATIONS, "if limit is not None and (not is_count(limit) or limit == 0):", "if False:"),
    ],
    "copies-for-the-same-key-without-memory": [
        (
            _CONNECTION,
            "if (own_key, url) == (here.api_key, here.base_url):",
            "if key is None and base_url is None:",
        )
    ],
    "takes-words-for-strict": [
        (
            _GRAPHS,
            "if isinstance(strict, bool):\n        return strict",
            "if isinstance(strict, (bool, str)):\n        return bool(strict)",
        )
    ],
    "lists-executions-of-any-name": [
        (
            _WORKFLOWS,
            (
                "check_workflow(name)\n        connection = self._connection.for_call("
                "timeout, max_retries, extra_headers)\n        if limit"
            ),
            (
                "connection = self._connection.for_call("
                "timeout, max_retries, extra_headers)\n        if limit"
            ),
        )
    ],
    # --- runs and capabilities ---------------------------------------------------------------
    "leaves-actions-out-of-failed-runs": [
        (
            _RESPONSE,
            "    error.failed_node = node",
            "    error.failed_node, error.next_actions = node, []",
        )
    ],
    "takes-no-success-for-a-failed-run": [
        (
            _RESPONSE,
            '(content.get("success") is False or _is_paused(content))',
            '(not content.get("success", True) or _is_paused(content))',
        )
    ],
    "takes-any-text-for-paused": [
        (_RESPONSE, 'content.get("paused") is True', 'bool(content.get("paused"))')
    ],
    "compares-capabilities-without-their-case": [
        (
            _SHAPES,
            'frozenset(texts(cast("object", listed)))',
            'frozenset(each.lower() for each in texts(cast("object", listed)))',
        )
    ],
    "takes-an-object-for-an-empty-list": [
        (
            _SHAPES,
            "if isinstance(listed, list) else None",
            "if isinstance(listed, (list, dict)) else None",
        )
    ],
    "remembers-a-failed-health": [
        (
            _CONNECTION,
            "return None  # not remembered: the next call asks again",
            "return self.memory.learn_capabilities({})",
        )
    ],
    "forgets-what-health-said": [(_CLIENT, "connection.memory.learn_capabilities(health)", "pass")],
}
