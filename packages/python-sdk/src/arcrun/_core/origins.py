"""Where a service's secrets may go: the SDK's own table, not the engine's word (CONTRACT.md §4).

On the deployed engine anyone can rewrite a recipe, and with it the place that secrets are sent to.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from .errors import RecipeOriginError
from .placeholders import scan

_GOOGLE_TOKENS = "https://oauth2.googleapis.com"

# The origins of each shipped service, as its recipe writes them: for requests, then for tokens.
SHIPPED: dict[str, tuple[str, ...]] = {
    "notion": ("https://api.notion.com",),
    "slack": ("https://slack.com",),
    "github": ("https://api.github.com",),
    "openai": ("https://api.openai.com",),
    "anthropic": ("https://api.anthropic.com",),
    "gemini": ("https://generativelanguage.googleapis.com",),
    "airtable": ("https://api.airtable.com",),
    "discord": ("https://discord.com",),
    "stripe": ("https://api.stripe.com",),
    "twilio": ("https://api.twilio.com",),
    "sendgrid": ("https://api.sendgrid.com",),
    "hubspot": ("https://api.hubapi.com",),
    "linear": ("https://api.linear.app",),
    "shopify": ("https://{{secret.shopify_store}}.myshopify.com",),
    "resend": ("https://api.resend.com",),
    "supabase": ("https://{{secret.supabase_project_ref}}.supabase.co",),
    "typeform": ("https://api.typeform.com",),
    "jira": ("https://{{secret.jira_domain}}.atlassian.net",),
    "trello": ("https://api.trello.com",),
    "mailgun": ("https://api.mailgun.net",),
    "telegram": ("https://api.telegram.org",),
    "line_notify": ("https://notify-api.line.me",),
    "google_sheets_sa": ("https://sheets.googleapis.com", _GOOGLE_TOKENS),
    "google_gmail_sa": ("https://gmail.googleapis.com", _GOOGLE_TOKENS),
    "google_drive_sa": ("https://www.googleapis.com", _GOOGLE_TOKENS),
}
OWN = frozenset({"kbdb"})  # the engine's own knowledge base: its origin is the client's base URL

_ORIGIN = r"(?ai)https?://([a-z0-9.-]+|\[[0-9a-f:.]+\])(:\d{1,5})?/?"
_START = r"(?i)(https?)://([^/?#\\@\s]+)(?=[/?#]|\Z)"
_PORTS = {"https": "443", "http": "80"}


def origin_of(url: str) -> str | None:
    """Return `scheme://host[:port]` of a URL, the default port left out; None if it has none.

    Templates stay as they are: their origin is compared before any secret is filled in.

    Example:
        >>> origin_of("https://{{ secret.jira_domain }}.Atlassian.net:443/rest/api/3")
        'https://{{secret.jira_domain}}.atlassian.net'
    """
    parts = scan(url)
    uniform = "".join(p if isinstance(p, str) else "{{" + p.name + "}}" for p in parts)
    start = re.match(_START, uniform)
    if start is None or not start[2].isascii():
        return None
    scheme = start[1].lower()
    host, colon, port = start[2].rpartition(":")
    if not colon or not port.isdigit():
        host, port = start[2], ""
    host = "".join(p.lower() if isinstance(p, str) else p.text for p in scan(host))
    return f"{scheme}://{host}" + (f":{port}" if port and port != _PORTS[scheme] else "")


def is_loopback(origin: str) -> bool:
    """Tell whether an origin is on this machine."""
    try:
        host = urlsplit(origin).hostname or ""
        return (
            host == "localhost"
            or host.endswith(".localhost")
            or ipaddress.ip_address(host).is_loopback
        )
    except ValueError:
        return False


def check_trusted(trust_origin: str | None) -> str | None:
    """Return the origin that the user named, in the form that `origin_of` gives.

    Raises:
        RecipeOriginError: it is no origin, or plain http to a host that is not loopback.
    """
    if trust_origin is None:
        return None
    origin = origin_of(trust_origin) if re.fullmatch(_ORIGIN, trust_origin) else None
    if origin is None:
        raise RecipeOriginError(
            f"trust_origin={trust_origin!r} is no origin: write scheme, host and port only, "
            'such as "https://api.example.com"'
        )
    if origin.startswith("http:") and not is_loopback(origin):
        raise RecipeOriginError(
            f"trust_origin={trust_origin!r} is not https: secrets go over plain http to loopback only"
        )
    return origin


def check_origins(
    service: str,
    written: str,
    rendered: str,
    *,
    pinned: Iterable[str],
    trusted: str | None,
) -> str:
    """Return the origin that a recipe's URL leads to, if the service's secrets may go there.

    Args:
        service: the recipe's service.
        written: the URL as the recipe writes it, templates unfilled.
        rendered: the same with templates filled.
        pinned: the origins known for the service, as recipes write them.
        trusted: the origin that the user named, as `check_trusted` returned it.

    Raises:
        RecipeOriginError: the origin is neither pinned nor trusted.
    """
    origin = origin_of(rendered)
    if origin is None:
        raise RecipeOriginError(
            f"the recipe of {service!r} has a URL that the SDK does not send secrets to: {written!r}"
        )
    if origin == trusted or (origin_of(written) in set(pinned) and origin_of(written) is not None):
        return origin
    known = ", ".join(pinned)
    expected = f"expected {known}" if known else "the SDK knows none for this service"
    raise RecipeOriginError(
        f"the recipe of {service!r} would send its secrets to {origin} ({expected}). If that is "
        f"right, say so: bind({service!r}, trust_origin={origin!r}); for a service of your own, "
        "auth.setup() in the same client pins it"
    )
