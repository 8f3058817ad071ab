"""Defects in what SDKs promise beside the wire: documents, errors, warnings, clients of services."""

from __future__ import annotations

_CREDS = "arcrun._sync.creds"
_GRAPHS = "arcrun._core.graphs"
_INJECTING = "arcrun._sync.injecting"
_INJECTION = "arcrun._core.injection"
_ORIGINS = "arcrun._core.origins"
_RECIPE = "arcrun._core.recipe"
_RESPONSE = "arcrun._core.response"
_BLANKING = "arcrun._core.secret"
_SERVICES = "arcrun._sync.services"
_TOKENS = "arcrun._core.tokens"
_TRUST = "arcrun._core.trust"

DEFECTS: dict[str, list[tuple[str, str, str]]] = {
    # --- workflows and runs --------------------------------------------------------------------
    "pushes-nodes-that-the-engine-does-not-know": [
        (_GRAPHS, 'missing = json_list(compiled.get("missing"))', "missing: list[str] = []")
    ],
    "ignores-config-without-its-node": [
        (
            _GRAPHS,
            "if node is None:\n            near = ",
            "if node is None:\n            continue\n            near = ",
        )
    ],
    "takes-lists-for-documents": [
        (
            _GRAPHS,
            "    if isinstance(graph, Mapping):",
            '    graph = {"flow": graph} if isinstance(graph, list) else graph\n    if isinstance(graph, Mapping):',
        )
    ],
    "describes-all-workflows-by-their-names": [
        ("arcrun._sync.workflows", "description=summary or name,", "description=name,")
    ],
    "pickles-the-input-of-failed-runs": [
        ("arcrun._core.errors", '{"failed_input", "trace", "body"}', '{"trace", "body"}')
    ],
    "takes-what-is-no-json-for-nothing": [
        (
            _RESPONSE,
            "content = response.json_object()\n        if content is None:",
            'content = response.json_object() or {"workflows": [], "total": 0}\n        if content is None:',
        )
    ],
    # --- warnings ------------------------------------------------------------------------------
    "warns-of-weak-keys-each-time": [
        (_CREDS, "memory.warned_of_key = True", "memory.warned_of_key = False")
    ],
    "seals-under-any-key-in-silence": [(_CREDS, "if not is_strong(key.reveal()):", "if False:")],
    "demands-33-digits": [("arcrun._core.sealing", "{32,}", "{33,}")],
    "warns-of-no-name-in-another-case": [(_CREDS, "if known != name:", "if False:")],
    "forgets-listed-names": [
        (
            _CREDS,
            "connection.memory.names.update({name.lower(): name for name in names})",
            "del names",
        )
    ],
    # --- tokens and clients of services ----------------------------------------------------------
    "reads-tokens-that-are-no-utf-8": [
        (
            _TOKENS,
            'Secret("" if status == 200 else content.decode("utf-8-sig", "replace"))',
            'Secret(content.decode("utf-8-sig", "ignore"))',
        )
    ],
    "reads-tokens-beside-what-is-no-utf-8": [
        (_TOKENS, 'Secret("" if status == 200 else', 'Secret("" if status == 201 else')
    ],
    "shows-secrets-as-forms-write-them": [
        (_BLANKING, 'forms.add(quote_plus(plain, errors="replace"))', "pass")
    ],
    "sends-the-form-unescaped": [
        (
            _TOKENS,
            "urlencode({name: value.reveal() for name, value in form.items()})",
            '"&".join(f"{name}={value.reveal()}" for name, value in form.items())',
        )
    ],
    "binds-with-the-clients-time-out-only": [
        (
            _SERVICES,
            "timeout=connection.timeout,\n            transport",
            "timeout=1.0,\n            transport",
        )
    ],
    "follows-redirects-of-services": [
        (
            _SERVICES,
            "timeout=connection.timeout,\n            transport",
            "timeout=connection.timeout,\n            follow_redirects=True,\n            transport",
        )
    ],
    "cuts-long-responses-of-services": [
        (
            _INJECTING,
            "response.stream = CleanStream(response.stream)",
            'response.stream = CleanStream(httpx.ByteStream(b"".join(response.stream)[:20000]))',
        )
    ],
    "gives-secrets-of-the-environment-to-any-recipe": [
        (_TRUST, "return trust_recipe and not belongs_elsewhere", "return not belongs_elsewhere")
    ],
    "compares-keys-with-their-case": [
        (_TRUST, 'own = key.lower().partition("__")[0]', 'own = key.partition("__")[0]')
    ],
    "leaves-secrets-in-links": [(_INJECTING, ' "link",', "")],
    "leaves-secrets-in-content-locations": [(_INJECTING, ' "content-location",', "")],
    "leaves-secrets-in-refresh": [(_INJECTING, '"link", "refresh")', '"link")')],
    "leaves-secrets-in-locations": [(_INJECTING, '("location", ', "(")],
    "leaves-secrets-encoded-in-small-letters": [
        (_INJECTION, 'f"%{byte:02x}"', 'f"%{byte:02X}"'),
        (_INJECTION, "(?i:{encoded})", "{encoded}"),
    ],
    "leaves-secrets-that-are-not-encoded": [
        (_INJECTION, "(?:{re.escape(character)}|(?i:{encoded}))", "(?i:{encoded})")
    ],
    "drops-addresses-with-secrets": [
        (_INJECTING, "response.headers[name] = clean", "del response.headers[name]")
    ],
    # --- which secret a token is fetched with, and where it may go ----------------------------
    "takes-the-first-secret-for-the-key-file": [
        (_RECIPE, "required[0])", 'objects(raw["required_secrets"])[0]["key"])')
    ],
    "takes-keys-that-only-contain-refresh-token": [
        (_RECIPE, 'key.endswith("refresh_token")', '"refresh_token" in key')
    ],
    "misses-no-key-file": [
        (_SERVICES, "or key in recipe.grant_keys", "and key not in recipe.grant_keys")
    ],
    "takes-port-443-for-the-default-of-http": [(_ORIGINS, '"http": "80"', '"http": "443"')],
}
