"""A service with a key that does not change; what it signs depends on the account (docs/contract.md#components)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .auth_contract import auth_contract

if TYPE_CHECKING:
    from .contract import ComponentContract

CONTRACT: ComponentContract = auth_contract(
    "static_key",
    "固定金鑰 Static key",
    "Authenticates with a service by the account's key for it.",
    {"service": "notion", "_path": "/users/me"},
)
