"""Defects of accounts, secrets, values and access tokens: module, text, and what replaces it."""

from __future__ import annotations

_TOKENS = "arcrun._core.tokens"
_SOURCE = "arcrun._sync.tokens"
_SERVICES = "arcrun._sync.services"
_CREDS = "arcrun._sync.creds"
_CONNECTION = "arcrun._sync.connection"
_TRUST = "arcrun._core.trust"
_CONFIG = "arcrun._core.config"
_OPERATIONS = "arcrun._core.operations"
_FETCH = "token = self._token = self._fetch(transport)"

_FETCH_ONCE = """if getattr(self, "_failure", None) is not None:
                    raise self._failure
                try:
                    token = self._token = self._fetch(transport)
                except Exception as error:
                    self._failure = error
                    raise"""
_IN_MEMORY = """if name in connection.memory.secrets:
            return connection.memory.secrets[name]"""

DEFECTS: dict[str, list[tuple[str, str, str]]] = {
    # --- access tokens -----------------------------------------------------------------------
    "token-requests-without-time-out": [
        (_SOURCE, "options = attempt(self._timeout)", 'options = {"timeout": {}}')
    ],
    "token-bodies-without-time-out": [
        (_SOURCE, "attempt(self._timeout)", '{"timeout": self._timeout.as_dict()}')
    ],
    "remembers-a-failed-token": [(_SOURCE, _FETCH, _FETCH_ONCE)],
    "keeps-tokens-for-ever": [(_SOURCE, " or time.monotonic() >= token.use_until", "")],
    "replaces-tokens-30-seconds-before": [
        (_TOKENS, "REFRESH_BEFORE = 60.0", "REFRESH_BEFORE = 30.0")
    ],
    "replaces-tokens-two-minutes-before": [
        (_TOKENS, "REFRESH_BEFORE = 60.0", "REFRESH_BEFORE = 120.0")
    ],
    "takes-milliseconds-for-seconds": [
        (_TOKENS, "min(seconds, LONGEST)", "min(seconds / 1000, LONGEST)")
    ],
    "takes-no-lifetime-for-none": [
        (_TOKENS, "if is_number(seconds) else LIFETIME", "if is_number(seconds) else 0")
    ],
    "fails-without-a-lifetime": [(_TOKENS, 'fields.get("expires_in")', 'fields["expires_in"]')],
    "fetches-a-token-for-each-call": [(_SOURCE, "with self._lock:", "if True:")],
    "joins-scopes-by-commas": [
        (_TOKENS, 'Secret(" ".join(grant.scopes))', 'Secret(",".join(grant.scopes))')
    ],
    "sorts-scopes": [(_TOKENS, '"scope": " ".join(scopes)', '"scope": " ".join(sorted(scopes))')],
    "sends-the-first-scope-only": [
        (_TOKENS, '"scope": " ".join(scopes)', '"scope": next(iter(scopes))')
    ],
    "stores-rotated-tokens-under-the-first-account": [
        (
            _SERVICES,
            "name = credential_name(key, account)\n            try:",
            "name = credential_name(key, next(iter(sources))[1])\n            try:",
        )
    ],
    "stores-rotated-tokens-without-their-service": [
        (
            _SERVICES,
            "push_secret(own, name, value, service=service)",
            "push_secret(own, name, value, service=None)",
        )
    ],
    "forgets-rotated-tokens": [
        (_SOURCE, "if token.refresh == self.values[key]:", "if key in self.values:")
    ],
    "shares-tokens-between-accounts": [
        (_SERVICES, "used = (service, account, grant.endpoint)", "used = grant.endpoint"),
        (
            _SERVICES,
            "if used not in sources or sources[used].values != values:",
            "if used not in sources:",
        ),
    ],
    "one-token-for-all-accounts-in-turn": [
        (_SERVICES, "used = (service, account, grant.endpoint)", "used = grant.endpoint")
    ],
    "sends-the-form-in-the-url": [
        (
            _SOURCE,
            "self._grant.endpoint,\n            content=",
            'self._grant.endpoint + "?" + form.reveal(),\n            content=',
        )
    ],
    "signs-in-at-the-token-endpoint-by-basic": [
        (
            _SOURCE,
            '"Accept": "application/json",\n                "User-Agent"',
            '"Authorization": "Basic YTpi",\n                "User-Agent"',
        )
    ],
    "takes-tokens-of-any-status": [
        (_TOKENS, "if status != 200 or access is None", "if access is None")
    ],
    "shows-what-token-endpoints-repeat": [
        (_TOKENS, "return blank_out(message, sent)[:300] or", "return message[:300] or")
    ],
    "leaves-what-token-endpoints-repeat-in-frames": [
        (
            _TOKENS,
            "reason = _reason(fields, sent)\n        del fields",
            "reason = _reason(fields, sent)",
        )
    ],
    "renews-no-token-after-401": [
        ("arcrun._sync.injecting", "response.status_code == 401 and token", "False and token")
    ],
    # --- accounts and memory -----------------------------------------------------------------
    "remembers-secrets-without-the-account": [
        (
            _SERVICES,
            _IN_MEMORY,
            """name, own = name.partition("__")[0], name
        if name in connection.memory.secrets:
            return connection.memory.secrets[name]
        name = own""",
        ),
        (
            _SERVICES,
            "self._connection.memory.secrets[name] = secret",
            'self._connection.memory.secrets[name.partition("__")[0]] = secret',
        ),
    ],
    "remembers-sealed-reads-without-the-account": [
        (
            _SERVICES,
            _IN_MEMORY,
            _IN_MEMORY
            + """
        base = name.partition("__")[0]
        if base in connection.memory.secrets:
            return connection.memory.secrets[base]""",
        ),
        (_SERVICES, "self._remember(name, found)", "self._remember(base, found)"),
    ],
    "keeps-deleted-secrets": [
        (
            _CREDS,
            "connection.memory.names.pop(name.lower(), None)\n        _forget(connection, name)",
            "connection.memory.names.pop(name.lower(), None)",
        )
    ],
    "keeps-replaced-secrets": [
        (
            _CREDS,
            "connection.memory.names[name.lower()] = name\n    _forget(connection, name)",
            "connection.memory.names[name.lower()] = name",
        )
    ],
    "prefers-the-environment-to-the-engine": [
        (
            _SERVICES,
            "if found is None and connection.settings.api_key is not None:",
            "if found is None and secret_from_environment(name) is None:",
        )
    ],
    "opens-envelopes-of-other-names": [
        ("arcrun._core.sealing", 'fields.get("name") != name or ', "")
    ],
    "leaves-the-key-in-frames": [("arcrun._core.sealing", "del api_key  #", "pass  #")],
    "checks-no-account": [(_SERVICES, "check_account(account)", "account")],
    "ignores-the-case-of-accounts": [
        (
            "arcrun._core.names",
            'return key if account is None else f"{key}__{account}"',
            'return key if account is None else f"{key}__{account.lower()}"',
        )
    ],
    "stops-at-missing-optional-secrets": [
        (_SERVICES, "elif key not in recipe.optional_keys or", "elif True or")
    ],
    "crashes-on-missing-optional-tokens": [
        (_SERVICES, "if key not in values:  # an optional one", "if False:")
    ],
    "stores-what-it-was-given-though-some-is-missing": [
        (
            "arcrun._core.setup",
            "missing = [key for key in recipe.required_keys if key not in given]",
            "missing = [key for key in recipe.required_keys if not given]",
        )
    ],
    # --- values ------------------------------------------------------------------------------
    "normalises-secrets": [
        (
            _CREDS,
            "hidden = Secret.of(value)",
            'import unicodedata\n        hidden = Secret.of(unicodedata.normalize("NFC", value))',
        )
    ],
    "strips-secrets": [(_CREDS, "Secret.of(value)", "Secret.of(value.strip())")],
    "normalises-bodies": [
        (
            "arcrun._core.request",
            "return text.encode()",
            'import unicodedata\n            return unicodedata.normalize("NFC", text).encode()',
        )
    ],
    "writes-line-feeds-only": [
        (
            "arcrun._core.request",
            "return text.encode()",
            r'return text.replace("\\r\\n", "\\n").encode()',
        )
    ],
    # --- found by reading the contract as an opponent -------------------------------------------
    "sends-the-last-service-again": [
        (
            _CREDS,
            """    request = operations.push_credential(
        connection.settings,""",
            """    kept = connection.memory.__dict__.setdefault("services", {})
    service = kept.setdefault(name, service) or service
    request = operations.push_credential(
        connection.settings,""",
        )
    ],
    "sends-no-sensitivity": [(_OPERATIONS, '"sensitivity": sensitivity}', '"sensitivity": None}')],
    "seals-equal-values-equally": [
        (
            "arcrun._core.sealing",
            "nonce = iv or urandom(12)",
            "import hashlib\n    nonce = iv or hashlib.sha256(value.encode()).digest()[:12]",
        )
    ],
    "seals-under-the-key-in-lower-case": [
        ("arcrun._core.sealing", ".derive(api_key.encode())", ".derive(api_key.lower().encode())")
    ],
    "repeats-without-the-body-after-401": [
        (
            "arcrun._sync.injecting",
            "token = self._sign_in.renewed(self._inner, token)\n            ",
            (
                "token = self._sign_in.renewed(self._inner, token)\n            "
                'request = httpx.Request("GET", request.url, headers=request.headers)\n            '
            ),
        )
    ],
    "renews-tokens-after-403": [
        (
            "arcrun._sync.injecting",
            "response.status_code == 401 and",
            "response.status_code in {401, 403} and",
        )
    ],
    "keeps-tokens-of-old-secrets": [
        (
            _SERVICES,
            "if used not in sources or sources[used].values != values:",
            "if used not in sources:",
        )
    ],
    "pushes-equal-refresh-tokens": [
        (_SOURCE, "if token.refresh == self.values[key]:", "if False:")
    ],
    "fails-when-a-rotated-token-can-not-be-stored": [
        (
            _SOURCE,
            "except ArcrunError as error:\n            logger",
            "except MemoryError as error:\n            logger",
        )
    ],
    "forgets-rotated-tokens-that-are-not-stored": [
        (
            _SERVICES,
            "finally:\n                self._remember(name, StoredSecret(value, service))",
            "finally:\n                pass",
        )
    ],
    "shows-plain-values-that-are-repeated": [
        (
            _CONNECTION,
            "secrets = (*request.secrets, key) if key else request.secrets",
            "secrets = (key,) if key else ()",
        )
    ],
    "shows-keys-that-are-repeated": [
        (
            _CONNECTION,
            "secrets = (*request.secrets, key) if key else request.secrets",
            "secrets = request.secrets",
        )
    ],
    "prefers-the-file-to-variables": [
        (
            _CONFIG,
            "if environment.get(VARIABLES[name]):",
            "if environment.get(VARIABLES[name]) and file.get(name) is None:",
        )
    ],
    "reads-secrets-of-other-variables": [
        (
            "arcrun._local",
            "os.environ.get(variable(name))",
            "os.environ.get(variable(name)) or os.environ.get(name.upper())",
        )
    ],
    "binds-mtls": [("arcrun._core.recipe", '"oauth2"})', '"oauth2", "mtls"})')],
    "pins-no-origin": [(_TRUST, "memory.pinned[recipe.service] = tuple(https)", "pass")],
    "pins-origins-for-all-clients": [
        (
            "arcrun._core.memory",
            "self.pinned: dict[str, tuple[str, ...]] = {}",
            "self.pinned = PINNED",
        ),
        (
            "arcrun._core.memory",
            "class Memory:",
            "PINNED: dict[str, tuple[str, ...]] = {}\n\n\nclass Memory:",
        ),
    ],
    "remembers-secrets-for-all-clients": [
        (
            "arcrun._core.memory",
            "self.secrets: dict[str, StoredSecret] = {}",
            "self.secrets = SECRETS",
        ),
        (
            "arcrun._core.memory",
            "class Memory:",
            "SECRETS: dict[str, StoredSecret] = {}\n\n\nclass Memory:",
        ),
    ],
    "pins-what-trust-origin-names": [
        (
            _SERVICES,
            "constants, inject = split_constants(",
            (
                "connection.memory.pinned.setdefault(self._service, (allowed,))\n        "
                "constants, inject = split_constants("
            ),
        )
    ],
    "sends-kbdb-to-the-hosted-engine": [
        (
            _TRUST,
            "urls = (known.base_url.replace(ENGINE_URL, settings.base_url), known",
            'urls = (known.base_url.replace(ENGINE_URL, "https://cypher.arcrun.dev"), known',
        )
    ],
}
