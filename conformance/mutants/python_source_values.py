"""Defects in values at an edge, which are empty, long, repeated or nearly another one: module, text, what replaces it."""

from __future__ import annotations

_GRAPHS = "arcrun._core.graphs"
_INJECTION = "arcrun._core.injection"
_OPERATIONS = "arcrun._core.operations"
_RECIPE_SHAPE = "arcrun._core.recipe_shape"
_RESPONSE = "arcrun._core.response"
_SEALING = "arcrun._core.sealing"

_BODY = "body=response.text,\n        requires"
_BODY_OF_A_RUN = "body=response.text,\n    )\n    error.failed_node"
_END = 'if cursor in (None, ""):'
_NODE_ID = r're.sub(r"\s+", "-", name.strip().lower())'
_PAIRS = 'parse_qsl(content.decode("utf-8", "replace"), keep_blank_values=True)'
_PREFIXES = '("proxy-", "x-forwarded-")'


def _without_header(name: str) -> list[tuple[str, str, str]]:
    """Return the defect that lets recipes set one of the forbidden headers."""
    return [
        (_RECIPE_SHAPE, "lower in _FORBIDDEN | own", f'lower in (_FORBIDDEN - {{"{name}"}}) | own')
    ]


DEFECTS: dict[str, list[tuple[str, str, str]]] = {
    # --- errors --------------------------------------------------------------------------------
    "cuts-bodies-of-errors": [(_RESPONSE, _BODY, _BODY.replace("text", "text[:1000]"))],
    "cuts-bodies-that-are-no-json": [
        (_RESPONSE, _BODY, _BODY.replace("text", "text[: None if content else 300]"))
    ],
    "keeps-ten-details": [
        (
            _RESPONSE,
            'details=objects(content.get("details"))',
            'details=objects(content.get("details"))[:10]',
        )
    ],
    "keeps-ten-next-actions": [
        (_RESPONSE, "next_actions=next_actions,", "next_actions=next_actions[:10],")
    ],
    "keeps-a-thousand-entries-of-a-trace": [
        (_RESPONSE, "error.trace = tuple(trace)", "error.trace = tuple(trace[:1000])")
    ],
    "cuts-bodies-of-failed-runs": [
        (_RESPONSE, _BODY_OF_A_RUN, _BODY_OF_A_RUN.replace("text", "text[:1000]"))
    ],
    # --- lists ---------------------------------------------------------------------------------
    "takes-falsy-cursors-for-the-end": [(_OPERATIONS, _END, "if not cursor:")],
    "takes-false-for-the-end": [(_OPERATIONS, _END, 'if cursor in (None, "") or cursor is False:')],
    "takes-an-empty-list-for-the-end": [(_OPERATIONS, _END, 'if cursor in (None, "", []):')],
    "takes-an-empty-object-for-the-end": [(_OPERATIONS, _END, 'if cursor in (None, "", {}):')],
    # --- names of nodes ------------------------------------------------------------------------
    "writes-a-hyphen-for-each-space": [(_GRAPHS, _NODE_ID, _NODE_ID.replace(r"\s+", r"\s"))],
    "knows-plain-spaces-only": [(_GRAPHS, _NODE_ID, _NODE_ID.replace(r"\s+", " +"))],
    "compares-nodes-with-their-case": [(_GRAPHS, _NODE_ID, _NODE_ID.replace(".lower()", ""))],
    "keeps-spaces-around-nodes": [(_GRAPHS, _NODE_ID, _NODE_ID.replace(".strip()", ""))],
    # --- keys and forms ------------------------------------------------------------------------
    "looks-at-the-beginning-of-keys": [(_SEALING, "re.fullmatch(_STRONG", "re.match(_STRONG")],
    "looks-for-strong-keys-anywhere": [
        (_SEALING, "re.fullmatch(_STRONG", 're.search(_STRONG + r"\\Z"')
    ],
    "sends-repeated-fields-once": [(_INJECTION, _PAIRS, f"list(dict({_PAIRS}).items())")],
    # --- headers that recipes may not set ------------------------------------------------------
    "lets-recipes-set-authorization": _without_header("authorization"),
    "lets-recipes-set-forwarded": _without_header("forwarded"),
    "lets-recipes-set-via": _without_header("via"),
    "lets-recipes-set-x-real-ip": _without_header("x-real-ip"),
    "lets-recipes-set-x-http-method": _without_header("x-http-method"),
    "lets-recipes-set-x-http-method-override": _without_header("x-http-method-override"),
    "lets-recipes-set-x-method-override": _without_header("x-method-override"),
    "lets-recipes-set-x-forwarded-for": [(_RECIPE_SHAPE, _PREFIXES, '("proxy-",)')],
    "lets-recipes-set-proxy-headers-but-one": [
        (_RECIPE_SHAPE, _PREFIXES, '("proxy-authorization", "x-forwarded-")')
    ],
    "lets-recipes-repeat-the-header-of-a-secret": [
        (_RECIPE_SHAPE, "lower in _FORBIDDEN | own", "lower in _FORBIDDEN")
    ],
    "refuses-headers-that-begin-alike": [
        (_RECIPE_SHAPE, "lower in _FORBIDDEN | own", "lower.startswith(tuple(_FORBIDDEN | own))")
    ],
}
