/** The names of services and of their secrets, for the types of `client.auth`. */

/** The services that arcrun ships, with the keys of their secrets. */
export interface Services {
  airtable: "airtable_token";
  anthropic: "anthropic_api_key";
  discord: "discord_bot_token";
  gemini: "gemini_api_key";
  github: "github_token";
  google_drive_sa: "google_service_account";
  google_gmail_sa: "google_service_account";
  google_sheets_sa: "google_service_account";
  hubspot: "hubspot_token";
  jira: "jira_api_token" | "jira_email" | "jira_domain";
  kbdb: "kbdb_api_key";
  line_notify: "line_token";
  linear: "linear_api_key";
  mailgun: "mailgun_api_key" | "mailgun_domain";
  notion: "notion_token";
  openai: "openai_api_key";
  resend: "resend_api_key";
  sendgrid: "sendgrid_api_key";
  shopify: "shopify_access_token" | "shopify_store";
  slack: "slack_bot_token";
  stripe: "stripe_secret_key";
  supabase: "supabase_service_key" | "supabase_project_ref";
  telegram: "telegram_bot_token";
  trello: "trello_api_key" | "trello_token";
  twilio: "twilio_account_sid" | "twilio_auth_token";
  typeform: "typeform_token";
}

/**
 * The name of a service.
 *
 * A literal must be one of the shipped ones, so that a misspelled one does not compile. For your own, name the type:
 * `bind<string>("crm")`.
 */
export type ServiceName<S extends string> = S &
  (string extends S ? string : S extends keyof Services ? S : keyof Services);

/** The secrets of a service, by key. */
export type Secrets<S extends string> = S extends keyof Services
  ? { [Key in Services[S]]?: string }
  : Record<string, string>;
