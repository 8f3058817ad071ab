"""Defects of `client.recipes` and `client.components`: module, text, and what replaces it."""

from __future__ import annotations

_REQUESTS = "arcrun._core.stored_recipes"
_NAMES = "arcrun._core.recipe_names"
_OPERATIONS = "arcrun._core.operations"
_RECIPES = "arcrun._sync.recipes"
_COMPONENTS = "arcrun._sync.components"
_RESPONSE = "arcrun._core.response"

DEFECTS: dict[str, list[tuple[str, str, str]]] = {
    "pushes-recipes-with-one-key": [
        (_RECIPES, "key = os.urandom(16).hex()", 'key = "0123456789abcdef"')
    ],
    "pushes-recipes-without-a-key": [
        (_REQUESTS, "body=body, idempotency_key=idempotency_key)", "body=body)")
    ],
    "normalizes-recipes": [
        (
            _REQUESTS,
            "    return recipe\n\n\ndef _check_message",
            '    return __import__("unicodedata").normalize("NFC", recipe)\n\n\ndef _check_message',
        )
    ],
    "loses-the-expected-version": [
        (
            _REQUESTS,
            "expected_version=expected_version)",
            "expected_version=expected_version or None)",
        )
    ],
    "reads-no-newest-version": [
        (_RESPONSE, 'content.get("newest_version")', 'content.get("newest")')
    ],
    "takes-no-version-for-none-named": [
        (_RESPONSE, "type(newest) is int:", "type(newest) is int and newest:")
    ],
    "sends-labels-under-another-name": [
        (_NAMES, 'return f"?label={quote(self.label', 'return f"?tag={quote(self.label')
    ],
    "reads-versions-after-the-sign-as-labels": [
        (
            _NAMES,
            'if re.fullmatch(r"[0-9]{1,9}", chosen):',
            "if chosen == chosen.upper() != chosen:",
        )
    ],
    "takes-two-versions": [(_NAMES, "if len(named) > 1:", "if len(named) > 2:")],
    "deletes-a-recipe-for-its-version": [(_NAMES, "if found.is_chosen:", "if False:")],
    "forces-every-deletion": [(_REQUESTS, '?force=true" if force', '?force=true" if True')],
    "renders-once-only": [
        (
            _REQUESTS,
            'return Request("POST", path, with_field("messages", list), body=body)',
            'return Request("POST", path, with_field("messages", list), body=body, retryable=False)',
        )
    ],
    "drops-empty-values-of-renders": [
        (
            _REQUESTS,
            "dict(value) for name, value in values.items() if value is not None",
            "{k: v for k, v in value.items() if v} for name, value in values.items() if value is not None",
        )
    ],
    "asks-for-recipes-on-any-engine": [
        (
            _RECIPES,
            "    connection.require(kind.capability, kind.what)\n    return connection.send(request)",
            "    return connection.send(request)",
        )
    ],
    "asks-for-components-on-any-engine": [
        (
            _COMPONENTS,
            '        connection.require(_CAPABILITY, "catalog of components")\n        return connection.send(request)',
            "        return connection.send(request)",
        )
    ],
    "searches-without-the-key": [
        (_OPERATIONS, 'page_of("results"), key="optional"', 'page_of("results"), key="none"')
    ],
    "starts-the-cursor-of-searches-with-a-question-mark": [
        (_OPERATIONS, 'separator = "&" if "?" in path else "?"', 'separator = "?"')
    ],
    "asks-for-another-page-of-versions": [
        (
            _RECIPES,
            "return stored_recipes.list_versions(whole, cursor)",
            'return stored_recipes.list_versions(whole, cursor and "0")',
        )
    ],
    "pushes-every-recipe-as-a-prompt": [
        (_REQUESTS, "return kinds[0] if kinds else PROMPT", "return PROMPT")
    ],
    "keeps-the-id-of-recipes": [(_REQUESTS, 'not in ("id", "hash_id")', 'not in ("hash_id",)')],
    "keeps-the-hash-of-recipes": [(_REQUESTS, 'not in ("id", "hash_id")', 'not in ("id",)')],
    "lists-prompts-only": [(_RECIPES, "chosen = check_kind(kind)", "chosen = PROMPT")],
    "takes-every-listed-recipe-for-shipped": [
        (_REQUESTS, "version = numbers.get(name, 0)", "version = 0")
    ],
    "returns-the-record-without-its-version": [
        (
            _REQUESTS,
            "    if kind is PROMPT:\n        return recipe",
            "    if kind:\n        return recipe",
        )
    ],
    "manages-all-kinds-on-any-engine": [
        (_NAMES, 'capability: str = "recipe_versions"', 'capability: str = "prompt_recipes"')
    ],
    "renders-recipes-of-any-kind": [(_NAMES, "if found.kind is not PROMPT:", "if False:")],
    "takes-two-kinds": [(_REQUESTS, "if len(kinds) > 1:", "if len(kinds) > 2:")],
    "takes-names-of-services-for-those-of-prompts": [
        (_NAMES, 'pattern=r"[a-z][a-z0-9_]{0,63}"', 'pattern=r"[a-z][a-z0-9_]{0,127}"')
    ],
    "repeats-backtests-that-ask-a-model": [(_REQUESTS, "retryable=not call)", "retryable=True)")],
    "backtests-once-only": [(_REQUESTS, "retryable=not call)", "retryable=False)")],
    "backtests-without-a-version": [(_REQUESTS, "/backtest{chosen.query}", "/backtest")],
}
