"""Defects at the edges of settings, runs and tokens: module, text, and what replaces it."""

from __future__ import annotations

_CLIENT = "arcrun._sync.client"
_CONFIG = "arcrun._core.config"
_ERRORS_OF_SETUP = "arcrun._core.setup"
_RESPONSE = "arcrun._core.response"
_RETRY = "arcrun._core.retry"
_SECRET = "arcrun._core.secret"  # noqa: S105 - the name of a module
_SERVICES = "arcrun._sync.services"
_TOKENS = "arcrun._sync.tokens"
_WORKFLOWS = "arcrun._sync.workflows"

_IS_SET = "if environment.get(VARIABLES[name]):"
_FORMS = "forms |= {plain, json.dumps(plain)[1:-1], json.dumps(plain, ensure_ascii=False)[1:-1]}"


def _set_if_empty(name: str) -> list[tuple[str, str, str]]:
    """Return the defect that takes the empty variable of one setting for its value."""
    empty = f'(name == "{name}" and environment.get(VARIABLES[name]) == "")'
    return [(_CONFIG, _IS_SET, f"if {empty} or environment.get(VARIABLES[name]):")]


DEFECTS: dict[str, list[tuple[str, str, str]]] = {
    # --- settings ----------------------------------------------------------------------------
    "takes-empty-variables-for-values": [
        (_CONFIG, _IS_SET, "if environment.get(VARIABLES[name]) is not None:")
    ],
    "takes-an-empty-variable-for-a-key": _set_if_empty("api_key"),
    "takes-an-empty-variable-for-a-url": _set_if_empty("base_url"),
    "gives-bound-clients-the-clients-timeout": [
        (_SERVICES, "timeout=connection.timeout,", "timeout=self._own.timeout,")
    ],
    "gives-bound-clients-a-timeout-of-their-own": [
        (_SERVICES, "timeout=connection.timeout,", "timeout=60.0,")
    ],
    "closes-the-client-of-a-copy": [
        (_CLIENT, "other._owns_http = False", "other._owns_http = self._owns_http")
    ],
    "closes-connections-of-others": [(_CLIENT, "if self._owns_http:\n", "if True:\n")],
    # --- runs and repetitions ----------------------------------------------------------------
    "reads-dates-as-local-time": [
        (_RETRY, "mktime_tz(parsed) - time.time()", "time.mktime(parsed[:9]) - time.time()")
    ],
    "names-the-first-failed-node": [
        (_RESPONSE, 'text(failed[-1].get("node"))', 'text(failed[0].get("node"))')
    ],
    "names-the-last-node-of-the-trace": [
        (_RESPONSE, 'text(failed[-1].get("node"))', 'text(trace[-1].get("node"))')
    ],
    "prefers-the-trace-to-the-failed-node": [
        (
            _RESPONSE,
            'text(content.get("failed_node")) or (text(failed[-1].get("node")) if failed else None)',
            '(text(failed[-1].get("node")) if failed else None) or text(content.get("failed_node"))',
        )
    ],
    "drops-own-keys-of-runs-sent-once": [
        (_WORKFLOWS, "idempotency_key=key,\n", "idempotency_key=key if retryable else None,\n")
    ],
    "replaces-own-keys": [(_WORKFLOWS, "if retryable and key is None:", "if retryable:")],
    # --- secrets and tokens ------------------------------------------------------------------
    "counts-what-failed-as-stored": [
        (
            _SERVICES,
            "setup.add_stored(error, service, stored)",
            "setup.add_stored(error, service, [*stored, name])",
        )
    ],
    "says-what-was-stored-in-words-only": [
        (_ERRORS_OF_SETUP, "error.stored = tuple(stored)", "pass")
    ],
    "shows-secrets-escaped-in-ascii": [
        (_SECRET, _FORMS, "forms |= {plain, json.dumps(plain, ensure_ascii=False)[1:-1]}"),
        ("arcrun._sync.connection", "plain = _plainly(text)", "plain = text"),
    ],
    "shows-secrets-escaped-in-utf-8": [
        (_SECRET, _FORMS, "forms |= {plain, json.dumps(plain)[1:-1]}")
    ],
    "fetches-a-token-for-each-refusal": [
        (_TOKENS, "or token is stale or", "or stale is not None or")
    ],
    "forgets-renewed-tokens": [
        (
            _TOKENS,
            "token = self._token = self._fetch(transport)",
            "token = self._fetch(transport)\n                self._token = self._token if stale else token",
        )
    ],
}
