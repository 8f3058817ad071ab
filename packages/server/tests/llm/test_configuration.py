"""Which provider a server has, by its settings."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from arcrun_server.errors import StartupError
from arcrun_server.llm.anthropic import AnthropicProvider
from arcrun_server.llm.configuration import LlmSettings, llm_settings_from, provider_of
from arcrun_server.llm.mira import MiraProvider
from arcrun_server.llm.provider import LlmReply, Price
from arcrun_server.llm.scripted import ScriptedProvider
from arcrun_server.outbound import Outbound
from arcrun_server.settings import settings_from


def test_without_settings_the_provider_is_scripted() -> None:
    settings = llm_settings_from({"ANTHROPIC_API_KEY": "sk"})
    assert (settings.provider, settings.base_url, settings.api_key) == ("scripted", None, None)
    assert isinstance(provider_of(settings, Outbound()), ScriptedProvider)


def test_the_settings_of_a_server_have_those_of_models() -> None:
    environment = {
        "ARCRUN_SERVER_LLM": "anthropic",
        "ARCRUN_SERVER_LLM_BASE_URL": "https://gateway.example/claude/",
        "ARCRUN_SERVER_LLM_MODELS": "haiku=small, tiny=smallest,",
        "ARCRUN_SERVER_LLM_PRICES": "small=1/5,large=3/15/4/0.5",
        "ANTHROPIC_API_KEY": "sk-1",
    }
    llm = settings_from(environment, data_dir=Path("d")).llm
    assert (llm.provider, llm.base_url) == ("anthropic", "https://gateway.example/claude")
    assert llm.api_key == "sk-1"
    assert "sk-1" not in repr(llm)
    assert (llm.models.ids["haiku"], llm.models.ids["tiny"]) == ("small", "smallest")
    assert llm.models.ids["opus"] == "claude-opus-5-5"
    assert llm.models.prices == {"small": Price(1, 5, 1, 1), "large": Price(3, 15, 4, 0.5)}


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("ARCRUN_SERVER_LLM", "openai", "must be one of scripted, anthropic, mira"),
        ("ARCRUN_SERVER_LLM_BASE_URL", "http://gateway.example", "must begin with https://"),
        ("ARCRUN_SERVER_LLM_BASE_URL", "https://a:b@gateway.example", "without a password"),
        ("ARCRUN_SERVER_LLM_BASE_URL", "https://", "name a host"),
        ("ARCRUN_SERVER_LLM_MODELS", "haiku", "'haiku': write haiku=ID"),
        ("ARCRUN_SERVER_LLM_PRICES", "m=1", "the price of 'm' must be"),
        ("ARCRUN_SERVER_LLM_PRICES", "m=1/2/3", "the price of 'm' must be"),
        ("ARCRUN_SERVER_LLM_PRICES", "m=1/nan", "the price of 'm' must be"),
        ("ARCRUN_SERVER_LLM_PRICES", "m=-1/2", "the price of 'm' must be"),
    ],
)
def test_a_setting_of_the_wrong_form_stops_the_start(name: str, value: str, message: str) -> None:
    with pytest.raises(StartupError, match=message):
        llm_settings_from({name: value})


def test_development_mode_takes_a_plain_url() -> None:
    settings = llm_settings_from({"ARCRUN_SERVER_LLM_BASE_URL": "http://127.0.0.1:9"}, dev=True)
    assert settings.base_url == "http://127.0.0.1:9"


def test_mira_needs_to_know_both_addresses() -> None:
    for base_url, public_url in (("https://m.example", None), (None, "https://e.example")):
        with pytest.raises(StartupError, match="ARCRUN_SERVER_PUBLIC_URL"):
            provider_of(LlmSettings("mira", base_url), Outbound(), None, public_url)
    settings = LlmSettings("mira", "https://m.example")
    assert isinstance(provider_of(settings, Outbound(), None, "https://e.example"), MiraProvider)


@pytest.mark.parametrize("installed", [True, False])
def test_the_provider_anthropic_needs_its_extra(
    monkeypatch: pytest.MonkeyPatch, installed: bool
) -> None:
    def find(_name: str) -> Any:
        return object() if installed else None

    monkeypatch.setattr(importlib.util, "find_spec", find)
    settings = LlmSettings("anthropic")
    if installed:
        assert isinstance(provider_of(settings, Outbound()), AnthropicProvider)
    else:
        with pytest.raises(StartupError, match=r"pip install 'arcrun-server\[anthropic\]'"):
            provider_of(settings, Outbound())


def test_a_price_counts_cached_tokens_by_their_own() -> None:
    reply = LlmReply("", "m", 1_000, 10, cache_read_tokens=600, cache_write_tokens=300)
    # 100 at 10 $, 10 out at 50 $, 300 at 12 $ and 600 at 1 $ a million.
    assert Price(10, 50, 12, 1).of(reply) == pytest.approx(0.0057)
