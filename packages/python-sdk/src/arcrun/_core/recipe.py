"""Auth recipes: parsed once, then asked by attribute (docs/contract.md#auth-recipes)."""

# Named tuples, and annotations that are evaluated: to import `dataclasses`, or to compile each
# annotation from text, would take 2 ms of every import of the SDK.

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, cast

from .errors import ConfigurationError, InvalidArgumentError, UnexpectedResponseError
from .names import check_credential
from .placeholders import Template
from .shapes import is_mapping, is_text, json_list, json_object, objects, texts
from .types import RequiredSecret

_SUPPORTED = frozenset({"static_key", "service_account", "oauth2"})


class Inject(NamedTuple):
    """What a recipe adds to a request: templates by name, one field for each part of the request."""

    header: Mapping[str, Template]
    query: Mapping[str, Template]
    path: Mapping[str, Template]
    body: Mapping[str, Template]
    body_constants: Mapping[str, Any]
    """Fields of the body that are not text, so that they have no placeholders."""

    @property
    def templates(self) -> Iterator[Template]:
        """Return all templates."""
        for part in (self.header, self.query, self.path, self.body):
            yield from part.values()

    def with_values(self, values: Mapping[str, Any]) -> "Inject":
        """Return only what can be filled in: entries of optional secrets that are not set drop out.

        Args:
            values: the secrets, by key.
        """

        def filled(part: Mapping[str, Template]) -> dict[str, Template]:
            return {
                name: template
                for name, template in part.items()
                if all(key in values for key in template.secret_keys)
            }

        return Inject(
            header=filled(self.header),
            query=filled(self.query),
            path=filled(self.path),
            body=filled(self.body),
            body_constants=self.body_constants,
        )


class AssertionGrant(NamedTuple):
    """How a service account gets an access token: for an assertion that it signs (RFC 7523)."""

    endpoint: str
    scopes: tuple[str, ...]
    account_key: str
    """The key of the secret that holds the account's key file."""


class RefreshGrant(NamedTuple):
    """How an OAuth 2 client gets an access token: for its refresh token (RFC 6749, section 6)."""

    endpoint: str
    scopes: tuple[str, ...]
    client_id: Template
    client_secret: Template | None
    refresh_key: str
    """The key of the secret that holds the refresh token."""


class Recipe(NamedTuple):
    """How requests to a service are authenticated."""

    service: str
    primitive: str
    base_url: Template
    secrets: tuple[RequiredSecret, ...]
    """The secrets that the service needs, the optional ones included."""
    inject: Inject
    grant: AssertionGrant | RefreshGrant | None
    """How an access token is fetched; None if the recipe needs none."""

    @property
    def required_keys(self) -> tuple[str, ...]:
        """Return the keys of the secrets that must be given."""
        return tuple(s["key"] for s in self.secrets if not s.get("optional"))

    @property
    def optional_keys(self) -> tuple[str, ...]:
        """Return the keys of the secrets that may be given."""
        return tuple(s["key"] for s in self.secrets if s.get("optional"))

    @property
    def keys_used(self) -> tuple[str, ...]:
        """Return the keys of the secrets that a bound client uses, each once."""
        templates = [self.base_url, *self.inject.templates]
        if isinstance(self.grant, RefreshGrant):
            templates += filter(None, (self.grant.client_id, self.grant.client_secret))
        keys = [key for template in templates for key in template.secret_keys]
        return tuple(dict.fromkeys((*keys, *self.grant_keys)))

    @property
    def grant_keys(self) -> tuple[str, ...]:
        """Return the keys of the secrets without which no access token can be got, optional or not."""
        if self.grant is None:
            return ()
        if isinstance(self.grant, AssertionGrant):
            return (self.grant.account_key,)
        return (*self.grant.client_id.secret_keys, self.grant.refresh_key)

    @property
    def token_endpoint(self) -> str | None:
        """Return the URL that access tokens are fetched from; None if the recipe needs none."""
        return self.grant.endpoint if self.grant else None

    @property
    def token_key(self) -> str:
        """Return the key of the one secret that the recipe injects.

        Raises:
            InvalidArgumentError: there are several, so none of them is *the* token.
        """
        found = [key for template in self.inject.templates for key in template.secret_keys]
        keys = list(dict.fromkeys(found))
        if len(keys) != 1:
            raise InvalidArgumentError(
                f"{self.service!r} signs in with {len(keys)} secrets ({', '.join(keys)}), so it has no "
                f"single token: use client.auth.bind({self.service!r})"
            )
        return keys[0]

    def check_supported(self) -> None:
        """Check that this SDK can sign in by the recipe.

        Raises:
            ConfigurationError: it can't.
        """
        if self.primitive not in _SUPPORTED:
            raise ConfigurationError(
                f"{self.service!r} signs in by {self.primitive!r}, which this SDK does not support"
            )


def parse_recipe(raw: Mapping[str, Any], service: str) -> Recipe:
    """Parse a recipe as the engine returns it.

    Args:
        raw: the recipe's JSON object.
        service: the service whose recipe was fetched.

    Raises:
        UnexpectedResponseError: the recipe does not have the shape that the contract promises.
        InvalidArgumentError: the key of a secret is not a valid name.
    """
    secrets, inject = raw.get("required_secrets"), json_object(raw.get("inject") or {})
    base_url, primitive = raw.get("base_url"), raw.get("primitive")
    if (
        raw.get("service") != service
        or not is_text(primitive)
        or not is_text(base_url)
        or not secrets == json_list(secrets) == objects(secrets)
        or not all(is_text(secret.get("key")) for secret in objects(secrets))
        or inject is None
        or not all(is_mapping(part) for part in inject.values())
    ):
        raise UnexpectedResponseError(
            f"the engine returned a malformed auth recipe for {service!r}: service, primitive and "
            "base_url must be text, required_secrets a list of objects with a key, and inject an "
            "object of objects"
        )
    for secret in objects(secrets):
        check_credential(secret["key"])
    required = [secret["key"] for secret in objects(secrets) if not secret.get("optional")]
    return Recipe(
        service=service,
        primitive=primitive,
        base_url=Template(base_url),
        secrets=cast("tuple[RequiredSecret, ...]", tuple(objects(secrets))),
        inject=parse_inject(inject),
        grant=_parse_grant(raw, service, primitive, required),
    )


def parse_inject(raw: Mapping[str, Mapping[str, Any]]) -> Inject:
    """Parse a recipe's `inject`: header, query, path and body, each from names to templates."""

    def templates(part: str) -> dict[str, Template]:
        return {name: Template(str(value)) for name, value in raw.get(part, {}).items()}

    body = raw.get("body", {})
    return Inject(
        header=templates("header"),
        query=templates("query"),
        path=templates("path"),
        body={name: Template(value) for name, value in body.items() if isinstance(value, str)},
        body_constants={k: value for k, value in body.items() if not isinstance(value, str)},
    )


def _parse_grant(
    raw: Mapping[str, Any], service: str, primitive: str, required: list[str]
) -> AssertionGrant | RefreshGrant | None:
    """Parse `token_exchange` or `oauth2`, as the primitive says."""
    if primitive == "service_account":
        exchange = json_object(raw.get("token_exchange")) or {}
        endpoint = _parse_endpoint(exchange.get("endpoint"), service)
        if not required:
            raise UnexpectedResponseError(f"the auth recipe of {service!r} has no required secret")
        return AssertionGrant(endpoint, tuple(texts(exchange.get("scopes"))), required[0])
    if primitive == "oauth2":
        oauth2 = json_object(raw.get("oauth2")) or {}
        endpoint = _parse_endpoint(oauth2.get("token_endpoint"), service)
        client_id, client_secret = oauth2.get("client_id"), oauth2.get("client_secret")
        named = Template(str(oauth2.get("refresh_token", ""))).secret_keys
        keys = [*named, *(key for key in required if key.endswith("refresh_token"))]
        if not keys or not is_text(client_id):
            raise UnexpectedResponseError(
                f"the auth recipe of {service!r} lacks oauth2.client_id or a required secret whose "
                "key ends in refresh_token"
            )
        return RefreshGrant(
            endpoint,
            tuple(texts(oauth2.get("scopes"))),
            Template(client_id),
            Template(client_secret) if is_text(client_secret) else None,
            keys[0],
        )
    return None


def _parse_endpoint(endpoint: object, service: str) -> str:
    if not is_text(endpoint):
        raise UnexpectedResponseError(f"the auth recipe of {service!r} has no token endpoint")
    return endpoint
