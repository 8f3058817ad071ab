/** The origins of the services that arcrun ships: the SDK's own table, whatever the engine returns. */

const GOOGLE_TOKENS = "oauth2.googleapis.com";

// The hosts of each shipped service: for requests, then for tokens. Left out, it is api.SERVICE.com.
const SHIPPED =
  "notion github openai anthropic airtable stripe twilio sendgrid resend typeform trello " +
  "slack=slack.com gemini=generativelanguage.googleapis.com discord=discord.com " +
  "hubspot=api.hubapi.com linear=api.linear.app shopify={{secret.shopify_store}}.myshopify.com " +
  "supabase={{secret.supabase_project_ref}}.supabase.co mailgun=api.mailgun.net " +
  "jira={{secret.jira_domain}}.atlassian.net telegram=api.telegram.org " +
  `line_notify=notify-api.line.me google_sheets_sa=sheets.googleapis.com,${GOOGLE_TOKENS} ` +
  `google_gmail_sa=gmail.googleapis.com,${GOOGLE_TOKENS} ` +
  `google_drive_sa=www.googleapis.com,${GOOGLE_TOKENS}`;

/** The origins of each shipped service, as its recipe writes them. */
export const shippedOrigins: ReadonlyMap<string, readonly string[]> = /* @__PURE__ */ new Map(
  SHIPPED.split(" ").map((entry) => {
    const [service = "", hosts = `api.${service}.com`] = entry.split("=");
    return [service, hosts.split(",").map((host) => `https://${host}`)];
  }),
);

/** The engine's own knowledge base, whose origin is the client's base URL. */
export const ENGINE_SERVICE = "kbdb";
