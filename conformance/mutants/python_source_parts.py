"""Defects that treat one part as all: of a list, of a call's requests, of a name."""

from __future__ import annotations

_NAMES = "arcrun._core.names"
_GRAPHS = "arcrun._core.graphs"
_RESPONSE = "arcrun._core.response"
_SEALING = "arcrun._core.sealing"
_SHAPE = "arcrun._core.recipe_shape"
_TRUST = "arcrun._core.trust"
_CREDS = "arcrun._sync.creds"
_CONNECTION = "arcrun._sync.connection"
_SERVICES = "arcrun._sync.services"
_WORKFLOWS = "arcrun._sync.workflows"

_SETTINGS = "settings, flow = {**config_of(graph), **own}, flow_of(graph)"
_COMPILED = "compiled = connection.send("
_NODE_ID = r'return re.sub(r"\s+", "-", name.strip().lower())'
_CREDENTIAL = '"[A-Za-z0-9_]{1,128}"'
_NAME_COMPARED = 'fields.get("name") != name'
_FORBIDDEN = "return lower in _FORBIDDEN | own or lower.startswith(_FORBIDDEN_PREFIXES)"

DEFECTS: dict[str, list[tuple[str, str, str]]] = {
    # --- lists -------------------------------------------------------------------------------
    "cuts-long-messages": [(_RESPONSE, 'f"{message}{hint}{_ref', 'f"{message[:1000]}{hint}{_ref')],
    "keeps-a-part-of-the-trace": [
        (
            _RESPONSE,
            'trace = objects(content.get("trace"))',
            'trace = objects(content.get("trace"))[:200]',
        )
    ],
    "reports-the-first-of-several-errors": [
        (
            _RESPONSE,
            'return "; ".join(texts(content.get("errors")))',
            'return next(iter(texts(content.get("errors"))), "")',
        )
    ],
    "remembers-deleted-names": [
        (_CREDS, "connection.memory.names.pop(name.lower(), None)", "pass")
    ],
    "prefers-the-documents-config": [
        (_WORKFLOWS, _SETTINGS, "settings, flow = {**own, **config_of(graph)}, flow_of(graph)")
    ],
    "leaves-policies-among-the-parameters": [
        (_GRAPHS, "if k in _NODE_FIELDS and k not in own}", 'if k == "concurrency"}')
    ],
    "takes-the-time-out-from-http-request": [
        (_GRAPHS, '{"http_request": ("timeout_seconds",)}', "{}")
    ],
    "drops-what-documents-say-of-runs": [(_GRAPHS, "if key in document})", 'if key == "retry"})')],
    "drops-schedules-of-documents": [
        (_GRAPHS, '"when_full", "cron", "webhook")', '"when_full", "webhook")')
    ],
    "ignores-the-documents-config-beside-an-argument": [
        (_WORKFLOWS, _SETTINGS, "settings, flow = own or config_of(graph), flow_of(graph)")
    ],
    "leaves-out-only-what-lacks-all-secrets": [
        (
            "arcrun._core.recipe",
            "if all(key in values for key in template.secret_keys)",
            "if not template.secret_keys or any(key in values for key in template.secret_keys)",
        )
    ],
    # --- the requests of a call --------------------------------------------------------------
    "compiles-with-the-clients-options": [
        (_WORKFLOWS, _COMPILED, "compiled = self._connection.send(")
    ],
    "compiles-with-the-clients-retries": [
        (_WORKFLOWS, _COMPILED, "compiled = connection.with_options(None, 2).send(")
    ],
    "asks-for-health-with-the-clients-options": [
        (
            _CONNECTION,
            "self.with_options(None, 0).send(operations.health())",
            "self.with_options(None, 0).with_headers({'x-team': 'all'}).send(operations.health())",
        )
    ],
    "reads-secrets-with-the-clients-options": [
        (
            _SERVICES,
            "connection.send(operations.read_credential(name))",
            "self._own.send(operations.read_credential(name))",
        )
    ],
    "gets-recipes-with-the-clients-options": [
        (
            _SERVICES,
            "self._connection.send(operations.get_recipe(service))",
            "self._own.send(operations.get_recipe(service))",
        )
    ],
    "stores-secrets-with-the-clients-options": [
        (
            _SERVICES,
            "push_secret(connection, name, value, service=service)",
            "push_secret(self._own, name, value, service=service)",
        )
    ],
    # --- names -------------------------------------------------------------------------------
    "ends-tasks-at-punctuation": [
        (_RESPONSE, r"waiting for task (\S+)", r"waiting for task ([\w-]+)")
    ],
    "replaces-the-first-space-of-names": [
        (_GRAPHS, _NODE_ID, r'return re.sub(r"\s+", "-", name.strip().lower(), count=1)')
    ],
    "replaces-each-space-of-names": [
        (_GRAPHS, _NODE_ID, 'return name.strip().lower().replace(" ", "-")')
    ],
    "takes-secrets-under-names-in-another-case": [
        (_SEALING, _NAME_COMPARED, 'str(fields.get("name")).lower() != name.lower()')
    ],
    "takes-secrets-under-longer-names": [
        (_SEALING, _NAME_COMPARED, 'not str(fields.get("name")).startswith(name)')
    ],
    "takes-longer-credential-names": [(_NAMES, _CREDENTIAL, '"[A-Za-z0-9_]+"')],
    "takes-longer-workflow-names": [(_NAMES, '"[A-Za-z0-9_-]{1,128}"', '"[A-Za-z0-9_-]+"')],
    "refuses-the-longest-names": [(_NAMES, _CREDENTIAL, '"[A-Za-z0-9_]{1,127}"')],
    "checks-keys-without-their-account": [
        (
            _SERVICES,
            "check_credential(credential_name(key, account))",
            "credential_name(key, account)",
        )
    ],
    # --- origins and headers -----------------------------------------------------------------
    "pins-no-token-endpoint": [
        (
            _TRUST,
            "urls = (recipe.base_url.text, recipe.token_endpoint)",
            "urls = (recipe.base_url.text,)",
        )
    ],
    "trusts-any-token-endpoint-beside-a-trusted-origin": [
        (
            _TRUST,
            "if recipe.token_endpoint is not None:",
            "if recipe.token_endpoint is not None and trusted is None:",
        )
    ],
    "forbids-one-header-of-proxies": [
        (
            _SHAPE,
            '_FORBIDDEN_PREFIXES = ("proxy-",',
            '_FORBIDDEN_PREFIXES = ("proxy-authorization",',
        )
    ],
    "forbids-headers-in-one-case": [
        (
            _SHAPE,
            "lower = name.lower()",
            'lower = name.lower() if "-" in name or name.istitle() else name',
        )
    ],
    "forbids-whatever-begins-like-it": [
        (
            _SHAPE,
            _FORBIDDEN,
            "return lower in own or lower.startswith((*_FORBIDDEN, *_FORBIDDEN_PREFIXES))",
        )
    ],
}
