"""What the SDK knows of the shipped services. Generated from the engine's catalog by scripts/known_recipes.py."""

from typing import NamedTuple


class KnownRecipe(NamedTuple):
    """What decides where the secrets of a shipped service go."""

    base_url: str
    inject: dict[str, dict[str, str]]
    keys: list[str]
    token_endpoint: str | None = None


# fmt: off
KNOWN: dict[str, KnownRecipe] = {
    "airtable": KnownRecipe("https://api.airtable.com/v0", {"header": {"Authorization": "Bearer {{secret.airtable_token}}"}}, ["airtable_token"]),
    "anthropic": KnownRecipe("https://api.anthropic.com/v1", {"header": {"x-api-key": "{{secret.anthropic_api_key}}"}}, ["anthropic_api_key"]),
    "discord": KnownRecipe("https://discord.com/api/v10", {"header": {"Authorization": "Bot {{secret.discord_bot_token}}"}}, ["discord_bot_token"]),
    "gemini": KnownRecipe("https://generativelanguage.googleapis.com/v1beta", {"header": {"x-goog-api-key": "{{secret.gemini_api_key}}"}}, ["gemini_api_key"]),
    "github": KnownRecipe("https://api.github.com", {"header": {"Authorization": "Bearer {{secret.github_token}}"}}, ["github_token"]),
    "google_drive_sa": KnownRecipe("https://www.googleapis.com/drive/v3", {"header": {"Authorization": "Bearer {{runtime.access_token}}"}}, ["google_service_account"], "https://oauth2.googleapis.com/token"),
    "google_gmail_sa": KnownRecipe("https://gmail.googleapis.com/gmail/v1", {"header": {"Authorization": "Bearer {{runtime.access_token}}"}}, ["google_service_account"], "https://oauth2.googleapis.com/token"),
    "google_sheets_sa": KnownRecipe("https://sheets.googleapis.com/v4", {"header": {"Authorization": "Bearer {{runtime.access_token}}"}}, ["google_service_account"], "https://oauth2.googleapis.com/token"),
    "hubspot": KnownRecipe("https://api.hubapi.com", {"header": {"Authorization": "Bearer {{secret.hubspot_token}}"}}, ["hubspot_token"]),
    "jira": KnownRecipe("https://{{secret.jira_domain}}.atlassian.net/rest/api/3", {"header": {"Authorization": "Basic {{secret.jira_email}}:{{secret.jira_api_token}}"}}, ["jira_api_token", "jira_email", "jira_domain"]),
    "kbdb": KnownRecipe("{{engine.url}}/kbdb", {"header": {"Authorization": "Bearer {{secret.kbdb_api_key}}"}}, ["kbdb_api_key"]),
    "line_notify": KnownRecipe("https://notify-api.line.me", {"header": {"Authorization": "Bearer {{secret.line_token}}"}}, ["line_token"]),
    "linear": KnownRecipe("https://api.linear.app", {"header": {"Authorization": "{{secret.linear_api_key}}"}}, ["linear_api_key"]),
    "mailgun": KnownRecipe("https://api.mailgun.net/v3", {"header": {"Authorization": "Basic api:{{secret.mailgun_api_key}}"}}, ["mailgun_api_key", "mailgun_domain"]),
    "notion": KnownRecipe("https://api.notion.com/v1", {"header": {"Authorization": "Bearer {{secret.notion_token}}"}}, ["notion_token"]),
    "openai": KnownRecipe("https://api.openai.com/v1", {"header": {"Authorization": "Bearer {{secret.openai_api_key}}"}}, ["openai_api_key"]),
    "resend": KnownRecipe("https://api.resend.com", {"header": {"Authorization": "Bearer {{secret.resend_api_key}}"}}, ["resend_api_key"]),
    "sendgrid": KnownRecipe("https://api.sendgrid.com/v3", {"header": {"Authorization": "Bearer {{secret.sendgrid_api_key}}"}}, ["sendgrid_api_key"]),
    "shopify": KnownRecipe("https://{{secret.shopify_store}}.myshopify.com/admin/api/2024-01", {"header": {"X-Shopify-Access-Token": "{{secret.shopify_access_token}}"}}, ["shopify_access_token", "shopify_store"]),
    "slack": KnownRecipe("https://slack.com/api", {"header": {"Authorization": "Bearer {{secret.slack_bot_token}}"}}, ["slack_bot_token"]),
    "stripe": KnownRecipe("https://api.stripe.com/v1", {"header": {"Authorization": "Bearer {{secret.stripe_secret_key}}"}}, ["stripe_secret_key"]),
    "supabase": KnownRecipe("https://{{secret.supabase_project_ref}}.supabase.co/rest/v1", {"header": {"Authorization": "Bearer {{secret.supabase_service_key}}", "apikey": "{{secret.supabase_service_key}}"}}, ["supabase_service_key", "supabase_project_ref"]),
    "telegram": KnownRecipe("https://api.telegram.org", {"path": {"bot_token": "{{secret.telegram_bot_token}}"}}, ["telegram_bot_token"]),
    "trello": KnownRecipe("https://api.trello.com/1", {"query": {"key": "{{secret.trello_api_key}}", "token": "{{secret.trello_token}}"}}, ["trello_api_key", "trello_token"]),
    "twilio": KnownRecipe("https://api.twilio.com/2010-04-01", {"header": {"Authorization": "Basic {{secret.twilio_account_sid}}:{{secret.twilio_auth_token}}"}}, ["twilio_account_sid", "twilio_auth_token"]),
    "typeform": KnownRecipe("https://api.typeform.com", {"header": {"Authorization": "Bearer {{secret.typeform_token}}"}}, ["typeform_token"]),
}
