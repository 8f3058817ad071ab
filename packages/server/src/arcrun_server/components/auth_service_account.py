"""A service with a service account; what it signs depends on the account (docs/contract.md#components)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .auth_contract import auth_contract

if TYPE_CHECKING:
    from .contract import ComponentContract

CONTRACT: ComponentContract = auth_contract(
    "service_account",
    "服務帳戶 Service account",
    "Authenticates with a service by an access token for a service account's key.",
    {"service": "google_sheets_sa", "_path": "/spreadsheets/{{input.id}}"},
)
