"""Google (OpenID Connect) and GitHub (OAuth 2.0): from a code that the browser brings to a person.

Authlib makes and reads what goes through the browser, and checks the claims of id tokens; it is imported at the first
log-in only. RFC 9207, which it does not check, is checked here: the response must come from the provider that was asked.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from arcrun_server.accounts.provider_client import LoginRefused, ProviderClient, ProviderError
from arcrun_server.store.identities import Identity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from arcrun_server.accounts.configuration import (
        AccountSettings,
        GitHubSettings,
        GoogleSettings,
    )

# How far the clocks of provider and engine may be apart, in seconds.
_LEEWAY = 60


@dataclass(frozen=True)
class LoginAttempt:
    """What belongs to one log-in, on the way out and back.

    Args:
        state: Leads back to it.
        code_verifier: PKCE (RFC 7636).
        nonce: Binds an id token to it.
        redirect_uri: Where the browser comes back.
    """

    state: str = field(repr=False)
    code_verifier: str = field(repr=False)
    nonce: str = field(repr=False)
    redirect_uri: str


class Provider(Protocol):
    """An identity provider."""

    async def authorization_url(self, attempt: LoginAttempt) -> str:
        """Return where the browser goes to log in.

        Raises:
            ProviderError: The provider can't be used now.
        """
        ...

    async def identity(self, attempt: LoginAttempt, response: Mapping[str, str]) -> Identity:
        """Return who has logged in.

        Args:
            attempt: The log-in.
            response: The parameters with which the browser came back.

        Raises:
            ProviderError: Nobody has, or it can't be found out.
        """
        ...


class GoogleProvider:
    """Google, or another OpenID provider.

    Args:
        settings: The client.
        client: Sends requests.
    """

    def __init__(self, settings: GoogleSettings, client: ProviderClient) -> None:
        self._settings = settings
        self._client = client
        self._metadata: dict[str, Any] | None = None

    async def authorization_url(self, attempt: LoginAttempt) -> str:
        """Return where the browser goes to log in."""
        metadata = await self._load_metadata()
        return _authorization_url(
            metadata["authorization_endpoint"],
            self._settings.client_id,
            attempt,
            scope="openid email",
            nonce=attempt.nonce,
        )

    async def identity(self, attempt: LoginAttempt, response: Mapping[str, str]) -> Identity:
        """Return whom the provider's id token is about."""
        metadata = await self._load_metadata()
        promised = metadata.get("authorization_response_iss_parameter_supported") is True
        code = _code(response, self._settings.issuer, issuer_is_promised=promised)
        tokens = await self._client.post(
            metadata["token_endpoint"],
            _token_form(attempt, code),
            (self._settings.client_id, self._settings.client_secret),
        )
        id_token = _text(tokens, "id_token")
        keys = await self._client.get(metadata["jwks_uri"])
        claims = _claims(
            id_token,
            keys,
            issuer=self._settings.issuer,
            client_id=self._settings.client_id,
            nonce=attempt.nonce,
            access_token=_text(tokens, "access_token"),
        )
        email = claims.get("email")
        return Identity(
            "google",
            _text(claims, "sub"),
            email if isinstance(email, str) and email else None,
            claims.get("email_verified") is True,
        )

    async def _load_metadata(self) -> dict[str, Any]:
        """Read the provider's endpoints, once."""
        if self._metadata is not None:
            return self._metadata
        issuer = self._settings.issuer
        found: dict[str, Any] = await self._client.get(f"{issuer}/.well-known/openid-configuration")
        # OpenID Connect Discovery, section 4.3: otherwise it is another provider's document.
        if _text(found, "issuer") != issuer:
            raise ProviderError("the provider's configuration is that of another issuer")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            _text(found, name)
        self._metadata = found
        return found


class GitHubProvider:
    """GitHub, which has no id tokens: the engine asks who the person is.

    Args:
        settings: The app.
        client: Sends requests.
    """

    def __init__(self, settings: GitHubSettings, client: ProviderClient) -> None:
        self._settings = settings
        self._client = client

    async def authorization_url(self, attempt: LoginAttempt) -> str:
        """Return where the browser goes to log in."""
        return _authorization_url(
            f"{self._settings.url}/login/oauth/authorize",
            self._settings.client_id,
            attempt,
            scope="user:email",
        )

    async def identity(self, attempt: LoginAttempt, response: Mapping[str, str]) -> Identity:
        """Return whose access token the code gives."""
        code = _code(response, f"{self._settings.url}/login/oauth", issuer_is_promised=False)
        secrets = {
            "client_id": self._settings.client_id,
            "client_secret": self._settings.client_secret,
        }
        tokens = await self._client.post(
            f"{self._settings.url}/login/oauth/access_token",
            {**_token_form(attempt, code), **secrets},
            None,
        )
        token = _text(tokens, "access_token")
        user = await self._client.get(f"{self._settings.api_url}/user", token)
        # The number stays; a name can be given up, and taken by somebody else.
        subject = user.get("id") if isinstance(user, dict) else None
        if not isinstance(subject, int):
            raise ProviderError("the provider did not say who has logged in")
        email = _primary_email(
            await self._client.get(f"{self._settings.api_url}/user/emails", token)
        )
        return Identity("github", str(subject), *email)


def providers_of(settings: AccountSettings) -> dict[str, Provider]:
    """Return the providers at which people can log in, by the names that routes have."""
    client = ProviderClient()
    found: dict[str, Provider] = {}
    if settings.google is not None:
        found["google"] = GoogleProvider(settings.google, client)
    if settings.github is not None:
        found["github"] = GitHubProvider(settings.github, client)
    return found


def _authorization_url(
    endpoint: str, client_id: str, attempt: LoginAttempt, **parameters: str
) -> str:
    from authlib.oauth2.rfc6749.parameters import prepare_grant_uri  # noqa: PLC0415
    from authlib.oauth2.rfc7636 import create_s256_code_challenge  # noqa: PLC0415

    url: str = prepare_grant_uri(
        endpoint,
        client_id=client_id,
        response_type="code",
        redirect_uri=attempt.redirect_uri,
        state=attempt.state,
        code_challenge=create_s256_code_challenge(attempt.code_verifier),  # type: ignore[no-untyped-call]
        code_challenge_method="S256",
        **parameters,
    )
    return url


def _code(response: Mapping[str, str], issuer: str, *, issuer_is_promised: bool) -> str:
    """Return the code of a response that comes from this issuer.

    Raises:
        ProviderError: It has none, or comes from another provider (RFC 9207).
    """
    given = response.get("iss")
    if given is None and issuer_is_promised:
        raise ProviderError("the response does not say which provider it comes from")
    if given is not None and given != issuer:
        raise ProviderError("the response comes from another provider than the one that was asked")
    if "error" in response:
        raise LoginRefused("the log-in was refused or cancelled at the provider")
    code = response.get("code")
    if not code:
        raise ProviderError("the provider sent no code")
    return code


def _token_form(attempt: LoginAttempt, code: str) -> dict[str, str]:
    return {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": attempt.redirect_uri,
        "code_verifier": attempt.code_verifier,
    }


def _claims(
    id_token: str, keys: Any, *, issuer: str, client_id: str, nonce: str, access_token: str
) -> Mapping[str, Any]:
    """Return the claims of an id token that is signed by the provider and made for this log-in.

    Raises:
        ProviderError: It is not.
    """
    from authlib.oidc.core import CodeIDToken  # noqa: PLC0415
    from joserfc import jwt  # noqa: PLC0415
    from joserfc.errors import JoseError  # noqa: PLC0415
    from joserfc.jwk import KeySet  # noqa: PLC0415

    expected = {
        "iss": {"essential": True, "value": issuer},
        "aud": {"essential": True, "value": client_id},
    }
    # Of the log-in that has begun: Authlib takes a token without a nonce if it is given none.
    parameters = {"nonce": nonce, "client_id": client_id, "access_token": access_token}
    try:
        token = jwt.decode(id_token, KeySet.import_key_set(keys), algorithms=["RS256", "ES256"])
        claims = CodeIDToken(token.claims, token.header, expected, parameters)
        claims.validate(leeway=_LEEWAY)
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise ProviderError(
            f"the provider's id token is not valid ({type(error).__name__})"
        ) from None
    return dict(claims)


def _primary_email(emails: Any) -> tuple[str | None, bool]:
    for entry in emails if isinstance(emails, list) else []:
        if isinstance(entry, dict) and entry.get("primary") is True:
            address = entry.get("email")
            if isinstance(address, str) and address:
                return address, entry.get("verified") is True
    return None, False


def _text(found: Any, name: str) -> str:
    value = found.get(name) if isinstance(found, dict) else None
    if not isinstance(value, str) or not value:
        raise ProviderError(f"the provider's answer has no {name}")
    return value
