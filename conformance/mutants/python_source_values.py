"""Defects in values at an edge, which are empty, long, repeated or nearly another one: module, text, what replaces it."""

from __future__ import annotations

_CONFIG = "arcrun._core.config"
_GRAPHS = "arcrun._core.graphs"
_INJECTION = "arcrun._core.injection"
_NAMES = "arcrun._core.names"
_OPERATIONS = "arcrun._core.operations"
_RECIPE = "arcrun._core.recipe"
_RECIPE_SHAPE = "arcrun._core.recipe_shape"
_RESPONSE = "arcrun._core.response"
_SEALING = "arcrun._core.sealing"
_SERVICES = "arcrun._sync.services"
_SETUP = "arcrun._core.setup"
_TOKENS = "arcrun._core.tokens"
_TRUST = "arcrun._core.trust"

_BODY = '"body": response.text,'
_END = 'if cursor in (None, ""):'
_FIELDS = '("error", "human_message", "message", "detail")'
_FITS = "re.fullmatch(pattern, name) is not None"
_GIVEN = " and values.keys() >= {*grant.client_secret.secret_keys}"
_KIND = 'partition(";")[0].strip().lower()'
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
            '"details": objects(content.get("details"))',
            '"details": objects(content.get("details"))[:10]',
        )
    ],
    "keeps-ten-next-actions": [
        (
            _RESPONSE,
            '"next_actions": texts(content.get("next_actions")),',
            '"next_actions": texts(content.get("next_actions"))[:10],',
        )
    ],
    "keeps-a-thousand-entries-of-a-trace": [
        (_RESPONSE, "error.trace = tuple(trace)", "error.trace = tuple(trace[:1000])")
    ],
    "cuts-bodies-of-failed-runs": [
        (
            _RESPONSE,
            "    error.failed_node = node",
            "    error.failed_node, error.body = node, response.text[:1000]",
        )
    ],
    # --- lists ---------------------------------------------------------------------------------
    "takes-falsy-cursors-for-the-end": [(_OPERATIONS, _END, "if not cursor:")],
    "takes-false-for-the-end": [(_OPERATIONS, _END, 'if cursor in (None, "") or cursor is False:')],
    "takes-an-empty-list-for-the-end": [(_OPERATIONS, _END, 'if cursor in (None, "", []):')],
    "takes-an-empty-object-for-the-end": [(_OPERATIONS, _END, 'if cursor in (None, "", {}):')],
    "asks-for-fifty-executions-at-most": [
        (_OPERATIONS, 'f"{path}?limit={limit}"', 'f"{path}?limit={min(limit, 50)}"')
    ],
    "returns-fifty-executions-at-most": [
        ("arcrun._sync.workflows", "return page.items", "return page.items[:50]")
    ],
    # --- sizes ---------------------------------------------------------------------------------
    "reads-less-than-the-limit": [
        ("arcrun._core.decoding", "if self._left < 0:", "if self._left <= 0:")
    ],
    "takes-any-bad-request-for-no-sealing": [
        (_RESPONSE, '400 and "value" in message and "必填" in message', "400")
    ],
    "takes-any-status-for-no-sealing": [(_RESPONSE, " and response.status == 400 and", " and")],
    "reads-more-than-64-mebibytes": [
        ("arcrun._core.decoding", "MAX_RESPONSE_BYTES = 64 *", "MAX_RESPONSE_BYTES = 65 *")
    ],
    "reads-a-byte-more-than-the-limit": [
        ("arcrun._core.decoding", "if self._left < 0:", "if self._left < -1:")
    ],
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
    "drops-marks-of-byte-order": [
        (_SEALING, "_bound_to(name)).decode()", '_bound_to(name)).decode("utf-8-sig")')
    ],
    "trims-descriptions": [
        (_OPERATIONS, '"description": description}', '"description": description.strip()}')
    ],
    "takes-empty-descriptions-for-none": [
        (_GRAPHS, "if description is None or (", "if not description or (")
    ],
    # --- optional secrets ----------------------------------------------------------------------
    "demands-optional-client-secrets": [
        (
            _RECIPE,
            "return (*self.grant.client_id.secret_keys,",
            'return (*getattr(self.grant.client_secret, "secret_keys", ()),',
        )
    ],
    "sends-client-secrets-that-were-not-given": [(_TOKENS, _GIVEN, "")],
    "sends-no-client-secret": [(_TOKENS, _GIVEN, f"{_GIVEN} and not grant.client_secret.text")],
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
    # --- values that are false or zero ---------------------------------------------------------
    "forgets-falsy-inputs-of-nodes": [
        (_RESPONSE, 'content.get("failed_input")', 'content.get("failed_input") or None')
    ],
    "forgets-empty-requirements": [
        (
            _RESPONSE,
            '"requires": content.get("requires"),',
            '"requires": content.get("requires") or None,',
        )
    ],
    "takes-what-is-said-of-optional-for-yes": [
        (
            _RECIPE,
            'tuple(s["key"] for s in self.secrets if s.get("optional"))',
            'tuple(s["key"] for s in self.secrets if "optional" in s)',
        )
    ],
    "drops-falsy-fields-of-inputs": [
        (
            _OPERATIONS,
            "body=dict(input or {}),",
            "body={k: v for k, v in (input or {}).items() if v},",
        )
    ],
    # --- one of several ------------------------------------------------------------------------
    "reads-no-detail": [(_RESPONSE, _FIELDS, '("error", "human_message", "message")')],
    "reads-no-message-of-gateways": [(_RESPONSE, _FIELDS, '("error", "human_message", "detail")')],
    "shows-the-first-of-several-errors": [
        (_RESPONSE, 'texts(content.get("errors"))', 'texts(content.get("errors"))[:1]')
    ],
    "names-the-first-missing-secret-of-bind": [
        (_SERVICES, "self._account, missing)", "self._account, missing[:1])")
    ],
    "names-the-first-missing-secret-of-setup": [
        (
            _SETUP,
            "if key not in given]\n    if missing",
            "if key not in given][:1]\n    if missing",
        )
    ],
    "names-the-first-variable": [
        (_SETUP, "variable(name) for name in names", "variable(name) for name in names[:1]")
    ],
    "names-the-first-that-was-stored": [
        (_SETUP, "error.stored = tuple(stored)", "error.stored = tuple(stored[:1])")
    ],
    "takes-405-for-an-error": [(_SERVICES, "not in {404, 405}", "not in {404}")],
    "fails-where-no-envelope-is-served": [
        (
            _SEALING,
            "or not is_text(iv):\n        return None",
            'or not is_text(iv):\n        raise UnexpectedResponseError("no envelope")',
        )
    ],
    # --- bodies and queries --------------------------------------------------------------------
    "adds-to-plain-json-only": [(_INJECTION, ' or kind.endswith("+json")', "")],
    "compares-types-with-their-case": [(_INJECTION, _KIND, 'partition(";")[0].strip()')],
    "compares-types-with-their-parameters": [(_INJECTION, _KIND, "strip().lower()")],
    "takes-similar-types-for-json": [
        (_INJECTION, 'kind == "application/json" or', 'kind.startswith("application/json") or')
    ],
    "adds-bodies-to-delete": [
        (
            _INJECTION,
            '{"GET", "HEAD", "DELETE", "OPTIONS", "TRACE"}',
            '{"GET", "HEAD", "OPTIONS", "TRACE"}',
        )
    ],
    "adds-no-body-to-post": [
        (_INJECTION, "if not content and method.upper() in _BODILESS:", "if not content:")
    ],
    "compares-encoded-names": [
        (_INJECTION, 'unquote_plus(p.partition("=")[0])', 'p.partition("=")[0]')
    ],
    "compares-names-by-their-beginning": [
        (
            _INJECTION,
            'unquote_plus(p.partition("=")[0]) not in self._query',
            'not unquote_plus(p.partition("=")[0]).startswith(tuple(self._query))',
        )
    ],
    # --- line breaks at the end ----------------------------------------------------------------
    "lets-names-end-in-a-line-break": [
        (_NAMES, _FITS, 're.match(pattern + "$", name) is not None')
    ],
    "lets-headers-end-in-a-line-break": [
        (
            _CONFIG,
            "not re.fullmatch(_HEADER_VALUE, value)",
            'not re.match(_HEADER_VALUE + "$", value)',
        )
    ],
    "lets-names-of-headers-end-in-a-line-break": [
        (_CONFIG, "not re.fullmatch(_HEADER_NAME, name)", 'not re.match(_HEADER_NAME + "$", name)')
    ],
    "lets-origins-end-in-a-line-break": [
        (
            _TRUST,
            "re.fullmatch(_ORIGIN, trust_origin)\n",
            're.match(_ORIGIN + "$", trust_origin)\n    trust_origin = trust_origin.strip()\n',
        )
    ],
    # --- sections of recipes -------------------------------------------------------------------
    "lets-recipes-add-constants-to-the-body": [
        (
            "arcrun._core.recipe_shape",
            "{**inject.body, **inject.body_constants}",
            "inject.body",
        )
    ],
    "lets-recipes-add-falsy-constants": [
        (
            _RECIPE_SHAPE,
            "{**inject.body, **inject.body_constants}",
            "{**inject.body, **{k: v for k, v in inject.body_constants.items() if v}}",
        )
    ],
    "compares-no-query": [(_RECIPE_SHAPE, '        "query": inject.query,\n', "")],
    "compares-no-path": [(_RECIPE_SHAPE, '        "path": inject.path,\n', "")],
    "compares-names-without-their-case": [
        (_RECIPE_SHAPE, "name.lower() if is_header else name", "name.lower()")
    ],
    "compares-headers-with-their-case": [
        (_RECIPE_SHAPE, "(name.lower() if is_header else name, text(item))", "(name, text(item))")
    ],
    "compares-placeholders-as-written": [
        (
            _RECIPE_SHAPE,
            "return uniform(written) if isinstance(written, str) else written",
            "return written",
        )
    ],
    "lets-recipes-add-keys": [
        (
            _RECIPE_SHAPE,
            "if sorted(keys) != sorted(known.keys):",
            "if not set(known.keys) <= set(keys):",
        )
    ],
    "lets-recipes-leave-out-keys": [
        (
            _RECIPE_SHAPE,
            "if sorted(keys) != sorted(known.keys):",
            "if not set(keys) <= set(known.keys):",
        )
    ],
}
