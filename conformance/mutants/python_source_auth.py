"""Defects of what SDKs know of services, of their secrets and of access tokens: module, text, instead."""

from __future__ import annotations

_CREDS = "arcrun._sync.creds"
_INJECTING = "arcrun._sync.injecting"
_INJECTION = "arcrun._core.injection"
_KNOWN = "arcrun._core.known_recipes"
_NAMES = "arcrun._core.names"
_OPERATIONS = "arcrun._core.operations"
_RECIPE = "arcrun._core.recipe"
_SERVICES = "arcrun._sync.services"
_SETUP = "arcrun._core.setup"
_SHAPE = "arcrun._core.recipe_shape"
_TOKENS = "arcrun._core.tokens"
_TRUST = "arcrun._core.trust"

_COMPARED = "if _comparable(section, found) != _comparable(section, expected):"
_NAMES_AND_TEMPLATES = "(name.lower() if is_header else name, text(item))"
_KEYS_COMPARED = "if sorted(keys) != sorted(known.keys):"
_NOT_SIGNED = "            return self._inner.handle_request(request)\n        token ="
_FILLED_ANYWHERE = """            path = self._sign_in.injection(None).target(request.url.raw_path)
            url = request.url.copy_with(raw_path=path)
            return self._inner.handle_request(
                httpx.Request(
                    request.method,
                    url,
                    headers=request.headers,
                    stream=request.stream,
                    extensions=request.extensions,
                )
            )
        token ="""
_PUSHED_IN_SETUP = "push_secret(connection, name, value, service=service)"
_PLAIN_IN_SETUP = """try:
                    push_secret(connection, name, value, service=service)
                except APIStatusError:
                    connection.settings.credential_format = "plain"
                    push_secret(connection, name, value, service=service)"""

DEFECTS: dict[str, list[tuple[str, str, str]]] = {
    # --- shipped services --------------------------------------------------------------------
    "knows-one-recipe-wrong": [(_KNOWN, '"Bot {{secret', '"Bearer {{secret')],
    "knows-one-service-less": [(_KNOWN, '"typeform": KnownRecipe', '"typeforms": KnownRecipe')],
    "counts-secrets-of-the-address": [
        (
            _RECIPE,
            "found = [key for template in self.inject.templates for key in template.secret_keys]",
            "found = [*self.keys_used]",
        )
    ],
    "counts-secrets-twice": [
        (
            _RECIPE,
            "keys = list(dict.fromkeys(found))\n        if len",
            "keys = found\n        if len",
        )
    ],
    "compares-names-without-templates": [(_SHAPE, _NAMES_AND_TEMPLATES, "(name.lower(), '')")],
    "compares-all-names-without-their-case": [
        (_SHAPE, _NAMES_AND_TEMPLATES, "(name.lower(), text(item))")
    ],
    "compares-known-sections-only": [
        (_SHAPE, _COMPARED, _COMPARED.replace("if", "if expected and"))
    ],
    "ignores-further-keys": [(_SHAPE, _KEYS_COMPARED, "if set(known.keys) - set(keys):")],
    "ignores-missing-keys": [(_SHAPE, _KEYS_COMPARED, "if set(keys) - set(known.keys):")],
    "compares-paths-without-their-case": [(_SHAPE, '.rstrip("/")', '.rstrip("/").lower()')],
    "compares-the-start-of-paths": [
        (
            _SHAPE,
            "return (origin_of(found), _path(found)) == (origin_of(expected), _path(expected))",
            "return _path(found).startswith(_path(expected))",
        )
    ],
    "checks-recipes-in-bind-only": [
        (
            _SERVICES,
            "values = self._values(recipe, trust_recipe=trust_recipe)\n        source",
            "values = self._values(recipe, trust_recipe=True)\n        source",
        )
    ],
    "serves-only-the-service-it-was-stored-for": [
        (_TRUST, "(service in recipes and", "(not stored_for and service in recipes and")
    ],
    "takes-queries-in-urls": [
        (_TRUST, 'if origin is None or re.search("[?#]", written):', "if origin is None:"),
    ],
    "takes-other-secrets-in-urls": [
        (
            _TRUST,
            "if not set(written.secret_keys) <= set(Template(base_url).secret_keys):",
            "if False:",
        )
    ],
    "takes-queries-in-trusted-origins": [(_TRUST, r'(:\d{1,5})?/?"', r'(:\d{1,5})?/?[?#]?"')],
    "checks-origins-in-bind-only": [
        (
            _SERVICES,
            "trust.check_origins(recipe, base_url, known, trusted)\n        transport",
            "transport",
        )
    ],
    "checks-origins-of-tokens-only-if-one-is-named": [
        (
            _SERVICES,
            "trust.check_origins(recipe, base_url, known, trusted)\n        transport",
            "trusted and trust.check_origins(recipe, base_url, known, trusted)\n        transport",
        )
    ],
    "compares-no-path-of-kbdb": [
        (_TRUST, "if origin_of(url) in known_origins and not", 'if "kbdb" not in url and not')
    ],
    "gives-any-secret-to-trusted-recipes-of-shipped-services": [
        (
            _TRUST,
            "return trust_recipe and not belongs_elsewhere",
            "return trust_recipe and (service in recipes or not belongs_elsewhere)",
        )
    ],
    "takes-recipes-of-other-services": [(_RECIPE, 'raw.get("service") != service', "False")],
    "takes-any-inject": [
        (
            _RECIPE,
            "or inject is None\n        or not all(is_mapping(part) for part in inject.values())",
            "or False",
        )
    ],
    "binds-unknown-primitives": [
        (_RECIPE, "if self.primitive not in _SUPPORTED:", 'if self.primitive == "mtls":')
    ],
    # --- secrets -----------------------------------------------------------------------------
    "reads-recipes-without-the-calls-options": [
        (
            _SERVICES,
            "self._connection.send(operations.get_recipe",
            "self._own.send(operations.get_recipe",
        )
    ],
    "pushes-without-the-calls-options": [
        (_SERVICES, _PUSHED_IN_SETUP, _PUSHED_IN_SETUP.replace("connection", "self._own"))
    ],
    "reads-credentials-without-the-calls-options": [
        (_SERVICES, "connection.send(operations.read_cred", "self._own.send(operations.read_cred")
    ],
    "names-secrets-of-no-account": [
        (_NAMES, "return key if account is None", 'return f"{key}__default" if account is None')
    ],
    "passes-over-failing-engines": [
        (_SERVICES, "if error.status not in {404, 405}:", "if error.status < 404:")
    ],
    "names-the-first-stored-only": [
        (_SETUP, "error.stored = tuple(stored)", "error.stored = tuple(stored[:1])")
    ],
    "says-what-was-stored-after-responses-only": [
        (_SERVICES, "except ArcrunError as error:", "except APIStatusError as error:")
    ],
    "takes-no-optional-secret": [
        (_SETUP, "[*recipe.required_keys, *recipe.optional_keys]", "[*recipe.required_keys]")
    ],
    "asks-for-the-key-before-the-environment": [
        (
            _SERVICES,
            "if found is None and connection.settings.api_key is not None:",
            "if found is None and connection.key():",
        )
    ],
    "asks-for-the-first-secret-only": [(_SETUP, "for key in missing]", "for key in missing[:1]]")],
    "names-the-first-missing-secret": [
        (_SETUP, "needs {', '.join(names)}: call", "needs {names[0]}: call")
    ],
    "stops-at-the-first-missing-secret": [
        (
            _SERVICES,
            "missing.append(key)",
            "raise setup.missing_secrets(recipe.service, self._account, [key])",
        )
    ],
    "falls-back-to-plain-in-setup": [(_SERVICES, _PUSHED_IN_SETUP, _PLAIN_IN_SETUP)],
    "takes-digits-of-any-script": [
        (_NAMES, r'_CREDENTIAL = r"[A-Za-z0-9_]{1', r'_CREDENTIAL = r"[A-Za-z\d_]{1')
    ],
    "deletes-under-the-empty-name": [
        (
            _CREDS,
            "if problem:\n            del name  # it may be a secret",
            "if name and problem:\n            del name  # it may be a secret",
        )
    ],
    "warns-of-no-name-in-setup": [
        (
            _CREDS,
            "_warn(connection, name)\n    result",
            "if not service:\n        _warn(connection, name)\n    result",
        )
    ],
    "warns-of-deleted-names": [(_CREDS, "connection.memory.names.pop(name.lower(), None)", "pass")],
    "takes-sensitivities-in-capitals": [
        (
            _OPERATIONS,
            'if sensitivity not in {None, "standard", "high"}:',
            'if (sensitivity or "high").lower() not in {"standard", "high"}:',
        )
    ],
    "takes-an-empty-service-for-none": [(_CREDS, "if service is not None:", "if service:")],
    "finds-http-in-lower-case-only": [
        (
            _TRUST,
            "if not (allow_insecure_http or is_secure(settings.origin)):",
            'if not (allow_insecure_http or is_secure(settings.origin)) and "http:" in settings.base_url:',
        )
    ],
    "takes-keys-in-capitals-for-strong": [
        ("arcrun._core.sealing", 'r"ak_[0-9A-Fa-f]{32,}"', 'r"(?i)ak_[0-9A-F]{32,}"')
    ],
    "reads-numbers-as-texts": [
        ("arcrun._core.sealing", "or not is_text(sealed) or not is_text(iv)", "")
    ],
    "shows-keys-in-request-ids": [
        ("arcrun._sync.connection", "= self._blanked(request, request_id)", "= request_id")
    ],
    "takes-line-ends-after-names-of-services": [
        (_NAMES, "[a-z0-9_][a-z0-9_-]*", "[a-z0-9_][a-z0-9_-]*\\n?")
    ],
    "reads-workflows-without-a-key": [
        (_OPERATIONS, 'with_field("graph", dict))', 'with_field("graph", dict), key="optional")')
    ],
    "knows-this-machine-by-ipv4-only": [
        ("arcrun._core.origins", "ipaddress.ip_address(host)", "ipaddress.IPv4Address(host)")
    ],
    "takes-every-address-for-this-machine": [
        ("arcrun._core.origins", 'host == "localhost"', 'host in {"localhost", "0.0.0.0"}')
    ],
    "uses-proxies-for-localhost": [
        ("arcrun._http", "if is_loopback(origin(url)):", 'if url.host.startswith("127."):')
    ],
    "trusts-recipes-with-secrets-of-others": [
        (_TRUST, "belongs_elsewhere = stored_for or any(", "belongs_elsewhere = any(")
    ],
    "sends-optional-keys-over-http": [
        (
            _TRUST,
            'if use == "optional" and (allow_insecure_http or is_secure(settings.origin)):',
            'if use == "optional":',
        )
    ],
    # --- what is put into requests -----------------------------------------------------------
    "fills-places-of-other-origins": [(_INJECTING, _NOT_SIGNED, _FILLED_ANYWHERE)],
    "adds-no-fields-to-deletions": [
        (
            _INJECTION,
            "if not content and method.upper() in _BODILESS:",
            "if method.upper() in _BODILESS:",
        )
    ],
    "adds-no-fields-to-nothing": [(_INJECTION, "{} if not content else None", "None")],
    "reads-content-types-as-a-whole": [
        (_INJECTION, 'content_type.partition(";")[0].strip()', "content_type")
    ],
    "knows-one-type-of-json": [(_INJECTION, ' or kind.endswith("+json")', "")],
    "fills-each-place-once": [
        (
            _INJECTION,
            "lambda found: self._path[found[1]], path)",
            "lambda found: self._path.pop(found[1], found[0]), path)",
        )
    ],
    "takes-one-dot-for-a-segment": [(_INJECTION, 'in {"", ".", ".."}', 'in {"", ".."}')],
    "knows-basic-in-one-case": [(_INJECTION, "(?is)basic (.*:.*)", "(?s)Basic (.*:.*)")],
    "leaves-basic-without-a-password": [(_INJECTION, "(?is)basic (.*:.*)", "(?is)basic (.*:.+)")],
    "refuses-bad-secrets-at-the-first-request": [
        (
            "arcrun._sync.tokens",
            "if source is None:\n            self.injection(None)",
            "if False:\n            self.injection(None)",
        )
    ],
    "replaces-parameters-in-any-case": [
        (
            _INJECTION,
            'if unquote_plus(p.partition("=")[0]) not in self._query]',
            'if unquote_plus(p.partition("=")[0]).lower() not in self._query]',
        )
    ],
    "keeps-fields-of-missing-secrets": [(_RECIPE, "body=filled(self.body)", "body=self.body")],
    "leaves-tokens-out-of-queries": [
        (
            _INJECTION,
            "for name, v in render(inject.query).items()}",
            "for name, v in render(inject.query).items() if not token}",
        )
    ],
    "takes-question-marks-in-hosts": [
        (
            "arcrun._core.placeholders",
            '_HOST_PART = r"[A-Za-z0-9-]+"',
            '_HOST_PART = r"[A-Za-z0-9?-]+"',
        )
    ],
    # --- access tokens -----------------------------------------------------------------------
    "fetches-a-token-for-each-get-token": [
        (_SERVICES, "(source.get(transport)).access", "(source._fetch(transport)).access")
    ],
    "keeps-tokens-of-get-token-for-ever": [
        (
            _SERVICES,
            "(source.get(transport)).access",
            "(source._token or source.get(transport)).access",
        )
    ],
    "takes-the-last-secret-for-the-refresh-token": [
        (_RECIPE, '*(key for key in required if key.endswith("refresh_token"))', "*required[-1:]")
    ],
    "takes-any-key-with-refresh-token": [
        (_RECIPE, 'key.endswith("refresh_token")', '"refresh_token" in key')
    ],
    "sends-client-ids-as-they-are": [
        (_TOKENS, "grant.client_id.render(values)", "grant.client_id.text")
    ],
    "sends-an-empty-scope": [(_TOKENS, "if grant.scopes:", "if True:")],
    "takes-any-refresh-token": [
        (
            _TOKENS,
            'Secret.of(fields.get("refresh_token"))',
            'Secret.of(str(fields.get("refresh_token") or ""))',
        )
    ],
    "reads-any-lifetime": [
        (_TOKENS, "if is_number(seconds) else LIFETIME", 'if "expires_in" in fields else LIFETIME')
    ],
    "shows-parts-of-secrets": [
        (_TOKENS, "blank_out(message, sent)[:300]", "blank_out(message[:300], sent)")
    ],
    "joins-reasons-that-are-no-texts": [
        (_TOKENS, "str(fields[key]) for key in", "fields[key] for key in")
    ],
    "keeps-tokens-that-no-header-carries": [
        (
            _TOKENS,
            '_access_token(fields.get("access_token"))',
            'Secret.of(fields.get("access_token"))',
        )
    ],
    "returns-the-401-when-no-token-comes": [
        (
            _INJECTING,
            "            token = self._sign_in.renewed(self._inner, token)\n",
            """            try:
                token = self._sign_in.renewed(self._inner, token)
            except Exception:
                pass
""",
        )
    ],
    "pushes-rotated-tokens-sealed": [
        (
            _SERVICES,
            "push_secret(own, name, value, service=service)",
            "own.settings.credential_format = 'sealed'\n                push_secret(own, name, value, service=service)",
        )
    ],
    "signs-once": [
        (
            "arcrun._sync.tokens",
            "form = token_form(self._grant, self.values, time.time())",
            "form = self._form = getattr(self, '_form', None) or token_form(self._grant, self.values, time.time())",
        )
    ],
    "renews-tokens-after-429": [
        (
            _INJECTING,
            "response.status_code == 401 and token",
            "response.status_code in {401, 429} and token",
        )
    ],
    "fetches-tokens-through-proxies": [
        (
            "arcrun._http",
            "if is_loopback(origin(url)):",
            'if is_loopback(origin(url)) and "token" not in url.path:',
        )
    ],
}
