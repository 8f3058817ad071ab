from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import pytest

from arcrun_server.app import create_app
from arcrun_server.recipes.catalog import load_catalog

if TYPE_CHECKING:
    from conftest import Api

    from arcrun_server.settings import Settings
    from arcrun_server.store import Store

# Of each service its primitive, base URL and secrets, as docs/contract.md#auth-recipes lists them.
SERVICES = {
    "notion": ("static_key", "https://api.notion.com/v1", ["notion_token"]),
    "slack": ("static_key", "https://slack.com/api", ["slack_bot_token"]),
    "github": ("static_key", "https://api.github.com", ["github_token"]),
    "openai": ("static_key", "https://api.openai.com/v1", ["openai_api_key"]),
    "anthropic": ("static_key", "https://api.anthropic.com/v1", ["anthropic_api_key"]),
    "gemini": (
        "static_key",
        "https://generativelanguage.googleapis.com/v1beta",
        ["gemini_api_key"],
    ),
    "airtable": ("static_key", "https://api.airtable.com/v0", ["airtable_token"]),
    "discord": ("static_key", "https://discord.com/api/v10", ["discord_bot_token"]),
    "stripe": ("static_key", "https://api.stripe.com/v1", ["stripe_secret_key"]),
    "twilio": (
        "static_key",
        "https://api.twilio.com/2010-04-01",
        ["twilio_account_sid", "twilio_auth_token"],
    ),
    "sendgrid": ("static_key", "https://api.sendgrid.com/v3", ["sendgrid_api_key"]),
    "hubspot": ("static_key", "https://api.hubapi.com", ["hubspot_token"]),
    "linear": ("static_key", "https://api.linear.app", ["linear_api_key"]),
    "shopify": (
        "static_key",
        "https://{{secret.shopify_store}}.myshopify.com/admin/api/2024-01",
        ["shopify_access_token", "shopify_store"],
    ),
    "resend": ("static_key", "https://api.resend.com", ["resend_api_key"]),
    "supabase": (
        "static_key",
        "https://{{secret.supabase_project_ref}}.supabase.co/rest/v1",
        ["supabase_service_key", "supabase_project_ref"],
    ),
    "typeform": ("static_key", "https://api.typeform.com", ["typeform_token"]),
    "jira": (
        "static_key",
        "https://{{secret.jira_domain}}.atlassian.net/rest/api/3",
        ["jira_api_token", "jira_email", "jira_domain"],
    ),
    "trello": ("static_key", "https://api.trello.com/1", ["trello_api_key", "trello_token"]),
    "mailgun": ("static_key", "https://api.mailgun.net/v3", ["mailgun_api_key", "mailgun_domain"]),
    "telegram": ("static_key", "https://api.telegram.org", ["telegram_bot_token"]),
    "line_notify": ("static_key", "https://notify-api.line.me", ["line_token"]),
    "kbdb": ("static_key", "http://localhost/kbdb", ["kbdb_api_key"]),
    "google_sheets_sa": (
        "service_account",
        "https://sheets.googleapis.com/v4",
        ["google_service_account"],
    ),
    "google_gmail_sa": (
        "service_account",
        "https://gmail.googleapis.com/gmail/v1",
        ["google_service_account"],
    ),
    "google_drive_sa": (
        "service_account",
        "https://www.googleapis.com/drive/v3",
        ["google_service_account"],
    ),
}
INJECTED = {
    "notion": {
        "header": {
            "Authorization": "Bearer {{secret.notion_token}}",
            "Notion-Version": "2022-06-28",
        }
    },
    "github": {
        "header": {
            "Authorization": "Bearer {{secret.github_token}}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
        }
    },
    "anthropic": {
        "header": {
            "x-api-key": "{{secret.anthropic_api_key}}",
            "anthropic-version": "2023-06-01",
        }
    },
    "gemini": {"header": {"x-goog-api-key": "{{secret.gemini_api_key}}"}},
    "discord": {"header": {"Authorization": "Bot {{secret.discord_bot_token}}"}},
    "linear": {"header": {"Authorization": "{{secret.linear_api_key}}"}},
    "shopify": {"header": {"X-Shopify-Access-Token": "{{secret.shopify_access_token}}"}},
    "supabase": {
        "header": {
            "Authorization": "Bearer {{secret.supabase_service_key}}",
            "apikey": "{{secret.supabase_service_key}}",
        }
    },
    "jira": {
        "header": {
            "Authorization": "Basic {{secret.jira_email}}:{{secret.jira_api_token}}",
            "Accept": "application/json",
        }
    },
    "trello": {"query": {"key": "{{secret.trello_api_key}}", "token": "{{secret.trello_token}}"}},
    "telegram": {"path": {"bot_token": "{{secret.telegram_bot_token}}"}},
    "google_drive_sa": {"header": {"Authorization": "Bearer {{runtime.access_token}}"}},
}


async def test_all_services_of_the_contract_are_listed_in_order(nobody: Api) -> None:
    listed = (await nobody("GET", "/auth-recipes")).json()
    assert (listed["success"], listed["count"]) == (True, 26)
    assert [recipe["service"] for recipe in listed["recipes"]] == sorted(SERVICES)


@pytest.mark.parametrize("service", SERVICES)
async def test_recipe_is_that_of_the_contract(nobody: Api, service: str) -> None:
    response = (await nobody("GET", f"/auth-recipes/{service}")).json()
    recipe = response["recipe"]
    assert response["success"] is True
    keys = [secret["key"] for secret in recipe["required_secrets"]]
    assert (recipe["primitive"], recipe["base_url"], keys) == SERVICES[service]
    assert recipe["service"] == service
    assert recipe["kind"] == "auth_recipe"
    if service in INJECTED:
        assert recipe["inject"] == INJECTED[service]


async def test_recipes_have_texts_in_chinese_and_english(nobody: Api) -> None:
    for recipe in (await nobody("GET", "/auth-recipes")).json()["recipes"]:
        assert recipe["category"]
        for text in (
            recipe["description"],
            *(secret["label"] for secret in recipe["required_secrets"]),
            *(secret["help"] for secret in recipe["required_secrets"]),
        ):
            assert re.search(r"[A-Za-z]{3}", text), (recipe["service"], text)
            assert re.search(r"[\u4e00-\u9fff]", text), (recipe["service"], text)
        for secret in recipe["required_secrets"]:
            assert urlsplit(secret["help_url"]).scheme == "https"
            assert urlsplit(secret["help_url"]).hostname


async def test_templates_name_only_secrets_that_are_asked_for() -> None:
    for service in load_catalog().auth.names:
        recipe = load_catalog().auth.get(service, "http://engine")
        assert recipe is not None
        keys = {secret["key"] for secret in recipe["required_secrets"]}
        text = str(recipe["inject"]) + recipe["base_url"]
        assert set(re.findall(r"\{\{secret\.(\w+)\}\}", text)) <= keys, service


async def test_google_services_ask_for_their_scope(nobody: Api) -> None:
    scopes = {}
    for service in ("google_sheets_sa", "google_gmail_sa", "google_drive_sa"):
        recipe = (await nobody("GET", f"/auth-recipes/{service}")).json()["recipe"]
        assert recipe["service_account_kind"] == "google_jwt"
        assert recipe["token_exchange"]["endpoint"] == "https://oauth2.googleapis.com/token"
        scopes[service] = recipe["token_exchange"]["scopes"]
    assert scopes == {
        "google_sheets_sa": ["https://www.googleapis.com/auth/spreadsheets"],
        "google_gmail_sa": ["https://www.googleapis.com/auth/gmail.send"],
        "google_drive_sa": ["https://www.googleapis.com/auth/drive"],
    }


async def test_ended_service_is_marked(nobody: Api) -> None:
    listed = (await nobody("GET", "/auth-recipes")).json()["recipes"]
    assert [recipe["service"] for recipe in listed if recipe.get("deprecated")] == ["line_notify"]


async def test_unknown_service_is_404_with_the_nearest_one(nobody: Api) -> None:
    response = await nobody("GET", "/auth-recipes/notoin")
    assert (response.status_code, response.json()["code"]) == (404, "service_not_found")
    assert "did you mean 'notion'" in response.json()["error"]


@pytest.mark.parametrize("service", ["Notion", "a-b", "%E5%90%8D", "a" * 65, "1a"])
async def test_bad_service_names_are_refused(nobody: Api, service: str) -> None:
    response = await nobody("GET", f"/auth-recipes/{service}")
    assert (response.status_code, response.json()["code"]) == (400, "invalid_name")


async def test_unknown_key_is_refused_even_where_none_is_needed(nobody: Api) -> None:
    for path in ("/auth-recipes", "/auth-recipes/notion"):
        response = await nobody("GET", path, headers={"X-Arcrun-API-Key": "ak_" + "0" * 48})
        assert (response.status_code, response.json()["code"]) == (401, "unknown_api_key")


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("engine.local:9000", "http://engine.local:9000/kbdb"),
        ('a"b/c', "http://localhost/kbdb"),  # it is not repeated
    ],
)
async def test_own_knowledge_base_lives_under_the_url_that_the_client_uses(
    store: Store, settings: Settings, host: str, url: str
) -> None:
    transport = httpx.ASGITransport(app=create_app(replace(settings, dev=False), store))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        response = await client.get("/auth-recipes/kbdb", headers={"Host": host})
    assert response.json()["recipe"]["base_url"] == url


async def test_url_that_is_set_is_used_for_everybody(store: Store, settings: Settings) -> None:
    app = create_app(replace(settings, public_url="https://engine.example"), store)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url="http://localhost"
    ) as client:
        recipe = (await client.get("/auth-recipes/kbdb")).json()["recipe"]
        assert recipe["base_url"] == "https://engine.example/kbdb"
