"""Defects of `client.recipes` and `client.components`: module, text, and what replaces it."""

from __future__ import annotations

_REQUESTS = "arcrun._core.prompt_recipes"
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
            "expected_version=expected_version,",
            "expected_version=expected_version or None,",
        )
    ],
    "reads-no-newest-version": [
        (_RESPONSE, 'content.get("newest_version")', 'content.get("newest")')
    ],
    "takes-no-version-for-none-named": [
        (_RESPONSE, "type(newest) is int:", "type(newest) is int and newest:")
    ],
    "sends-labels-under-another-name": [
        (_REQUESTS, 'return f"?label={quote(self.label', 'return f"?tag={quote(self.label')
    ],
    "reads-versions-after-the-sign-as-labels": [
        (
            _REQUESTS,
            'if re.fullmatch(r"[0-9]{1,9}", chosen):',
            "if chosen == chosen.upper() != chosen:",
        )
    ],
    "takes-two-versions": [(_REQUESTS, "if len(named) > 1:", "if len(named) > 2:")],
    "deletes-a-recipe-for-its-version": [(_REQUESTS, "if found.is_chosen:", "if False:")],
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
            '    connection.require(prompt_recipes.CAPABILITY, "prompt recipes")\n    return connection.send(request)',
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
            "return prompt_recipes.list_versions(bare, cursor)",
            'return prompt_recipes.list_versions(bare, cursor and "0")',
        )
    ],
}
