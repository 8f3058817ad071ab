"""Defects of options, injected secrets, origins, lists and logs: module, text, and what replaces it."""

from __future__ import annotations

_SERVICES = "arcrun._sync.services"
_CONNECTION = "arcrun._sync.connection"
_CLIENT = "arcrun._sync.client"
_TRUST = "arcrun._core.trust"
_ORIGINS = "arcrun._core.origins"
_CONFIG = "arcrun._core.config"
_INJECTION = "arcrun._core.injection"
_OPERATIONS = "arcrun._core.operations"

DEFECTS: dict[str, list[tuple[str, str, str]]] = {
    "shows-names-that-are-refused": [
        (
            "arcrun._core.names",
            'return f"a text of {len(name)} characters"',
            "return f'the text {name!r}'",
        )
    ],
    "shows-secrets-in-the-place-of-keys": [
        ("arcrun._core.setup", "value.reveal() in known", "value.reveal() in ()")
    ],
    "takes-names-of-any-length": [("arcrun._core.names", "[A-Za-z0-9_]{1,128}", "[A-Za-z0-9_]+")],
    "keeps-only-http-proxies-from-loopback": [
        (
            "arcrun._http",
            "    if is_loopback(origin(url)):",
            '    if is_loopback(origin(url)) and "http" in getproxies():',
        )
    ],
    "keeps-only-proxies-for-all-from-loopback": [
        (
            "arcrun._http",
            "    if is_loopback(origin(url)):",
            '    if is_loopback(origin(url)) and "all" in getproxies():',
        )
    ],
    "leaves-loopback-to-the-list-of-exempt-hosts": [
        (
            "arcrun._http",
            "    if is_loopback(origin(url)):",
            '    if is_loopback(origin(url)) and "no" not in getproxies():',
        )
    ],
    "uses-proxies-for-exempt-hosts": [
        (
            "arcrun._http",
            "    if is_loopback(origin(url)):",
            '    if is_loopback(origin(url)) and "no" not in getproxies():',
        ),
        (
            "arcrun._http",
            'if not proxy or proxy_bypass(url.netloc.decode("ascii")):',
            "if not proxy:",
        ),
    ],
    "looks-for-secrets-in-escaped-texts-only": [
        (_CONNECTION, "plain = _plainly(text)", "plain = text")
    ],
    # --- options -----------------------------------------------------------------------------
    "takes-texts-for-switches": [
        ("arcrun._core.retry", "if not isinstance(value, bool):", "if 0:")
    ],
    "times-each-byte-of-a-head": [
        ("arcrun._sync.transport", '"_network_backend", None)', '"_no_such_attribute", None)')
    ],
    "times-each-byte-of-a-services-head": [
        (
            "arcrun._sync.injecting",
            "with until_the_head(signed):",
            "with __import__('contextlib').nullcontext():",
        )
    ],
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
    "ends-lists-at-odd-cursors": [
        (_OPERATIONS, "if not is_unicode(cursor):", "if False:"),
        (_OPERATIONS, 'if cursor in (None, ""):', "if not is_unicode(cursor):"),
    ],
    "takes-any-entry-of-a-list": [
        (_OPERATIONS, "if len(objects(items)) < len(items):", "if False:")
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
    "replaces-the-content-type-of-json": [
        (_INJECTION, 'content_type or "application/json",', '"application/json",')
    ],
    "takes-forms-with-a-charset-for-no-forms": [
        (
            _INJECTION,
            'content_type.partition(";")[0].strip().lower()',
            "content_type.strip().lower()",
        )
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
    "follows-cursors-unencoded": [(_OPERATIONS, "cursor={in_path(cursor)}", "cursor={cursor}")],
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
}
