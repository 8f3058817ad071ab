"""Defects of accounts, values, options, tokens, origins and lists: module, text, and what replaces it."""

from __future__ import annotations

_TOKENS = "arcrun._core.tokens"
_SOURCE = "arcrun._sync.tokens"
_SERVICES = "arcrun._sync.services"
_CREDS = "arcrun._sync.creds"
_CONNECTION = "arcrun._sync.connection"
_CLIENT = "arcrun._sync.client"
_TRUST = "arcrun._core.trust"
_ORIGINS = "arcrun._core.origins"
_CONFIG = "arcrun._core.config"
_INJECTION = "arcrun._core.injection"
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
        (_SOURCE, 'extensions={"timeout": self._timeout.as_dict()},', "extensions={},")
    ],
    "token-bodies-without-time-out": [
        (_SOURCE, "read_body(response, self._timeout.read, ", "read_body(response, None, ")
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
    "joins-scopes-by-commas": [(_TOKENS, 'form["scope"] = " ".join(', 'form["scope"] = ",".join(')],
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
    "takes-tokens-of-any-status": [(_TOKENS, "if status != 200 or not", "if not")],
    "shows-what-token-endpoints-repeat": [
        (_TOKENS, "return blank_out(message, sent)[:300] or", "return message[:300] or")
    ],
    "leaves-what-token-endpoints-repeat-in-frames": [(_TOKENS, "del fields, access", "pass")],
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
    # --- options -----------------------------------------------------------------------------
    "loses-the-path-of-base-urls": [
        (
            _CONNECTION,
            "url = self.settings.base_url + request.path",
            "url = self.settings.origin + request.path",
        )
    ],
    "keeps-the-slash-of-base-urls": [(_CONFIG, 'return url.rstrip("/")', "return url")],
    "ignores-the-variable-of-the-format": [
        (
            _CONFIG,
            "if environment.get(VARIABLES[name]):",
            'if name != "credential_format" and environment.get(VARIABLES[name]):',
        )
    ],
    "prefers-variables-to-arguments": [
        (
            _CONFIG,
            "if given.get(name) is not None:",
            "if given.get(name) is not None and not environment.get(VARIABLES[name]):",
        )
    ],
    "takes-any-format": [(_CONFIG, 'if value == "plain":', "if value:")],
    "takes-any-number-of-retries": [
        ("arcrun._core.retry", "if not is_count(max_retries):", "if False:")
    ],
    "takes-users-in-base-urls": [(_ORIGINS, r"([^/?#\\@\s]+)", r"([^/?#\\\s]+)")],
    "limits-no-response": [
        (_CLIENT, "max_response_bytes=max_response_bytes,", "max_response_bytes=10**9,")
    ],
    "counts-packed-bytes": [
        (
            "arcrun._core.decoding",
            "self._left -= len(part)\n",
            "self._left -= 0 if self._inflate else len(part)\n",
        ),
        ("arcrun._core.decoding", "decompress(part, self._left + 1)", "decompress(part)"),
    ],
    "drops-other-headers-for-a-call": [
        (_CONNECTION, "other.headers = {**kept, **headers}", "other.headers = dict(headers)")
    ],
    "sends-headers-in-both-spellings": [
        (_CONNECTION, "if name.lower() not in names}", "if name not in headers}")
    ],
    "keeps-headers-of-a-call": [
        (
            _CONNECTION,
            'return other.with_headers(check_headers(extra_headers, "extra_headers"))',
            "self.headers = {**self.headers, **extra_headers}\n        return self",
        )
    ],
    "keeps-options-of-a-call": [
        (_CONNECTION, "other.__dict__.update(self.__dict__)", "other.__dict__ = self.__dict__")
    ],
    "sends-own-headers-to-services": [
        (
            _SERVICES,
            'headers={"User-Agent": USER_AGENT, **constants}',
            'headers={"User-Agent": USER_AGENT, **connection.headers, **constants}',
        )
    ],
    "shares-memory-with-other-keys": [(_CONNECTION, "other.memory = Memory()", "pass")],
    "copies-without-memory": [
        (
            _CONNECTION,
            "other.__dict__.update(self.__dict__)",
            "other.__dict__.update(self.__dict__)\n        other.memory = Memory()",
        )
    ],
    "copies-with-the-old-key": [
        (
            _CONNECTION,
            "own_key = here.api_key if key is None else",
            "own_key = here.api_key if True else",
        )
    ],
    "shows-the-user-agent-of-own-clients": [
        (_CLIENT, "headers={} if self._owns_http else HEADERS,", "headers={},")
    ],
    "lets-own-clients-follow": [(_CONNECTION, ", follow_redirects=False", "")],
    "asks-for-strict-runs-by-another-value": [(_OPERATIONS, '"strict=true":', '"strict=1":')],
    "runs-strictly-always": [(_OPERATIONS, "check_strict(strict)}", "True}")],
    "ignores-strict-pushes": [
        (_OPERATIONS, "if strict is not None:", "if strict is not None and not strict:")
    ],
    "takes-an-empty-list-for-none": [
        ("arcrun._core.shapes", "if isinstance(listed, list) else None", "if listed else None")
    ],
    "asks-for-capabilities-each-time": [
        (_CONNECTION, "if not self.memory.asked_for_capabilities:", "if True:")
    ],
    # --- injection ---------------------------------------------------------------------------
    "leaves-ampersands-in-queries": [
        (_INJECTION, 'quote(v.reveal(), safe="") for name', 'quote(v.reveal(), safe="&/") for name')
    ],
    "leaves-slashes-in-paths": [
        (
            _INJECTION,
            'return quote(value.reveal(), safe="")',
            'return quote(value.reveal(), safe="/")',
        )
    ],
    "fills-paths-again": [
        (
            _INJECTION,
            "path, count = re.subn(placeholder, lambda found: self._path[found[1]], path)",
            (
                "count = 1\n            for own in (*self._path, *self._path):\n                "
                'path = path.replace(f"%7B{own}%7D", self._path[own])'
            ),
        )
    ],
    "drops-the-requests-own-query": [(_INJECTION, '"&".join(kept + added)', '"&".join(added)')],
    "encodes-basic-in-latin-1": [
        (_INJECTION, "basic[1].encode()", 'basic[1].encode("latin-1", "replace")')
    ],
    "cuts-basic-at-the-second-colon": [
        (_INJECTION, "basic[1].encode()", '":".join(basic[1].split(":")[:2]).encode()')
    ],
    "prefers-the-requests-own-fields": [
        (_INJECTION, "{**fields, **self._body}", "{**self._body, **fields}")
    ],
    "drops-empty-fields-of-forms": [
        (_INJECTION, "keep_blank_values=True", "keep_blank_values=False")
    ],
    "takes-line-ends-in-headers": [
        (
            _INJECTION,
            "not re.fullmatch(_HEADER_VALUE, value.reveal())",
            'not re.match(_HEADER_VALUE + "$", value.reveal())',
        )
    ],
    "checks-the-start-of-host-parts": [
        ("arcrun._core.placeholders", "not re.fullmatch(_HOST_PART", "not re.match(_HOST_PART")
    ],
    # --- origins -----------------------------------------------------------------------------
    "trusts-every-origin-with-trust-origin": [(_TRUST, "if origin == trusted or", "if trusted or")],
    "trusts-trusted-recipes-everywhere": [
        (
            _SERVICES,
            "allowed = trust.check_origins(recipe, base_url, known, trusted)",
            (
                "allowed = trust.origin_of(base_url) if trust_recipe else "
                "trust.check_origins(recipe, base_url, known, trusted)"
            ),
        )
    ],
    "compares-the-start-of-origins": [
        (
            _TRUST,
            "origin_of(written) in known:",
            "any(str(origin_of(written)).startswith(each) for each in known):",
        )
    ],
    "trusts-any-token-endpoint": [(_TRUST, "if recipe.token_endpoint is not None:", "if False:")],
    "takes-127-as-a-beginning": [
        (_ORIGINS, "or ipaddress.ip_address(host).is_loopback", 'or host.startswith("127.")')
    ],
    "takes-localhost-as-an-end": [
        (_ORIGINS, 'host.endswith(".localhost")', 'host.endswith("localhost")')
    ],
    "takes-localhost-as-a-beginning": [
        (_ORIGINS, 'host.endswith(".localhost")', 'host.startswith("localhost.")')
    ],
    "takes-private-addresses-for-this-machine": [
        (_ORIGINS, "ip_address(host).is_loopback", "ip_address(host).is_private")
    ],
    "compares-hosts-without-ports": [
        (
            _TRUST,
            "return origin == allowed",
            'return origin.rsplit(":", 1)[0] == allowed.rsplit(":", 1)[0]',
        )
    ],
    "sends-secrets-along-redirects": [
        (_TRUST, "return origin == allowed", 'return origin.startswith("http://")')
    ],
    # --- lists and logs ----------------------------------------------------------------------
    "cuts-lists-after-50": [
        (
            _CONNECTION,
            "return found\n            if cursor in",
            "return found[:50]\n            if cursor in",
        )
    ],
    "stops-at-empty-pages": [
        (_CONNECTION, "if cursor is None:\n", "if cursor is None or not part.items:\n")
    ],
    "sorts-lists": [
        (
            _CONNECTION,
            "return found\n            if cursor in",
            "return sorted(found, key=str)\n            if cursor in",
        )
    ],
    "lists-equal-entries-once": [
        (
            _CONNECTION,
            "found += part.items",
            "found += [item for item in part.items if item not in found]",
        )
    ],
    "follows-cursors-unencoded": [(_OPERATIONS, "?cursor={in_path(cursor)}", "?cursor={cursor}")],
    "logs-headers": [
        (
            _CONNECTION,
            "outgoing.headers[KEY_HEADER] = key.reveal()",
            (
                "outgoing.headers[KEY_HEADER] = key.reveal()\n            "
                'logger.debug("%s", outgoing.headers.raw)'
            ),
        )
    ],
    "logs-bound-requests": [
        (
            "arcrun._sync.injecting",
            "headers.update(injection.headers)",
            (
                "headers.update(injection.headers)\n    import logging\n    "
                'logging.getLogger("arcrun").debug("%s", injection.target(request.url.raw_path))'
            ),
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
