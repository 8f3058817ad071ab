"""A service with OAuth 2.0; what it signs depends on the account (docs/contract.md#components)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .auth_contract import auth_contract

if TYPE_CHECKING:
    from .contract import ComponentContract

CONTRACT: ComponentContract = auth_contract(
    "oauth2",
    "OAuth 2.0 授權 OAuth 2.0",
    "Authenticates with a service by an access token for the account's refresh token.",
    {"service": "my_crm", "_path": "/contacts", "_query": {"q": "{{input.名}}"}},
)
