"""Settings of language models: which provider a server has, and what its models are called and cost."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from arcrun_server.errors import StartupError

from . import anthropic
from .anthropic import AnthropicProvider
from .mira import MiraProvider
from .provider import MODELS, Models, Price
from .scripted import ScriptedProvider, read_script

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from arcrun_server.outbound import Outbound

    from .provider import Provider

PROVIDERS = ("scripted", "anthropic", "mira")


@dataclass(frozen=True)
class LlmSettings:
    """What a server knows of language models.

    Args:
        provider: `scripted`, `anthropic` or `mira`.
        base_url: Where the provider is, if not at its usual place.
        api_key: The key for accounts that have none of their own.
        models: Ids and prices of the models.
    """

    provider: str = "scripted"
    base_url: str | None = None
    api_key: str | None = field(default=None, repr=False)
    models: Models = field(default_factory=Models)


def llm_settings_from(environment: Mapping[str, str], *, dev: bool = False) -> LlmSettings:
    """Read the settings of language models.

    Args:
        environment: Usually `os.environ`; keys `ARCRUN_SERVER_LLM` (a provider), `ARCRUN_SERVER_LLM_BASE_URL`,
            `ARCRUN_SERVER_LLM_MODELS` (`haiku=ID,sonnet=ID`), `ARCRUN_SERVER_LLM_PRICES` (`ID=INPUT/OUTPUT` or
            `ID=INPUT/OUTPUT/CACHE_WRITE/CACHE_READ` in US dollars a million tokens), and `ANTHROPIC_API_KEY`.
        dev: Development mode, which alone takes a plain http URL.

    Raises:
        StartupError: A value has the wrong form.

    Example:
        >>> settings = llm_settings_from({"ARCRUN_SERVER_LLM_MODELS": "sonnet=claude-sonnet-6"})
        >>> settings.provider, settings.models.ids["sonnet"], settings.models.ids["opus"]
        ('scripted', 'claude-sonnet-6', 'claude-opus-5-5')
    """
    provider = environment.get("ARCRUN_SERVER_LLM") or PROVIDERS[0]
    if provider not in PROVIDERS:
        raise StartupError(f"ARCRUN_SERVER_LLM must be one of {', '.join(PROVIDERS)}")
    ids = _entries(environment, "ARCRUN_SERVER_LLM_MODELS", "haiku=ID,sonnet=ID")
    prices = _entries(environment, "ARCRUN_SERVER_LLM_PRICES", "ID=INPUT/OUTPUT,ID=INPUT/OUTPUT")
    return LlmSettings(
        provider=provider,
        base_url=_base_url(environment.get("ARCRUN_SERVER_LLM_BASE_URL"), dev=dev),
        api_key=environment.get("ANTHROPIC_API_KEY") if provider == "anthropic" else None,
        models=Models(MODELS | ids, {model: _price(model, text) for model, text in prices.items()}),
    )


def provider_of(
    settings: LlmSettings,
    outbound: Outbound,
    script: Path | None = None,
    public_url: str | None = None,
) -> Provider:
    """Return the provider of a server.

    Args:
        settings: The settings.
        outbound: The engine's HTTP client.
        script: The file of replies for `scripted`.
        public_url: Where the engine is reached, for callbacks.

    Raises:
        StartupError: What the provider needs is not there.
    """
    if settings.provider == "anthropic":
        if not anthropic.is_installed():
            raise StartupError(anthropic.MISSING)
        return AnthropicProvider(outbound, settings.base_url, settings.api_key)
    if settings.provider == "mira":
        if settings.base_url is None or public_url is None:
            raise StartupError(
                "the provider `mira` needs ARCRUN_SERVER_LLM_BASE_URL, where the daemon is, and "
                "ARCRUN_SERVER_PUBLIC_URL, where it calls back"
            )
        return MiraProvider(outbound, settings.base_url, public_url)
    return ScriptedProvider(read_script(script) if script else [])


def _base_url(value: str | None, *, dev: bool) -> str | None:
    if not value:
        return None
    parts = urlsplit(value)
    schemes = {"http", "https"} if dev else {"https"}
    if parts.scheme not in schemes or not parts.hostname or parts.username is not None:
        allowed = "https:// (http:// in development mode)"
        raise StartupError(
            f"ARCRUN_SERVER_LLM_BASE_URL must begin with {allowed} and name a host, without a password"
        )
    return value.rstrip("/")


def _entries(environment: Mapping[str, str], name: str, form: str) -> dict[str, str]:
    entries = {}
    for entry in (environment.get(name) or "").split(","):
        key, equals, value = (part.strip() for part in entry.partition("="))
        if not entry.strip():
            continue
        if not (key and equals and value):
            raise StartupError(f"{name}: {entry.strip()!r}: write {form}")
        entries[key] = value
    return entries


def _price(model: str, text: str) -> Price:
    try:
        amounts = [float(part) for part in text.split("/")]
    except ValueError:
        amounts = []
    if len(amounts) not in {2, 4} or not all(math.isfinite(one) and one >= 0 for one in amounts):
        raise StartupError(
            f"ARCRUN_SERVER_LLM_PRICES: the price of {model!r} must be INPUT/OUTPUT or "
            "INPUT/OUTPUT/CACHE_WRITE/CACHE_READ, in US dollars a million tokens"
        )
    # Without prices of their own, cached tokens cost what others cost: more rather than less than the truth.
    cached = amounts[2:] or [amounts[0], amounts[0]]
    return Price(amounts[0], amounts[1], *cached)
