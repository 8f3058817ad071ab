/**
 * Where a service's secrets may go: the SDK's own table, not the engine's word (CONTRACT.md §4).
 *
 * On the deployed engine anyone can rewrite a recipe, and with it the place that secrets are sent to.
 */

import { RecipeOriginError } from "../core/errors.js";
import { isLoopback, originOf, readOrigin } from "../core/origins.js";
import { Template } from "./placeholders.js";

const GOOGLE_TOKENS = "oauth2.googleapis.com";

// The hosts of each shipped service: for requests, then for tokens. No host: api.SERVICE.com.
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

/** The engine's own knowledge base: its origin is the client's base URL. */
export const OWN = "kbdb";

/**
 * Returns the origin of a URL as a recipe writes it.
 *
 * Templates stay as they are: their origin is compared before any secret is filled in.
 */
export const writtenOrigin = (url: string): string | undefined => originOf(new Template(url).normalized());

/** Returns the origin that the user named, in the form that `originOf` gives. */
export function checkTrusted(trustOrigin: string | undefined): string | undefined {
  if (trustOrigin === undefined) return undefined;
  const origin = /^https?:\/\/[\w.:[\]-]+\/?$/i.test(trustOrigin) ? originOf(trustOrigin) : undefined;
  if (!origin)
    throw new RecipeOriginError(
      `trustOrigin '${trustOrigin}' is no origin: write scheme, host and port only, such as https://api.example.com`,
    );
  if (origin.startsWith("http:") && !isLoopback(origin))
    throw new RecipeOriginError(
      `trustOrigin '${trustOrigin}' is not https: secrets go over plain http to loopback only`,
    );
  return origin;
}

/**
 * Returns the origin that a recipe's URL leads to, if the service's secrets may go there.
 *
 * @param written - The URL as the recipe writes it, templates unfilled.
 * @param rendered - The same with templates filled.
 * @param pinned - The origins known for the service, as recipes write them.
 * @param trusted - The origin that the user named, as `checkTrusted` returned it.
 */
export function checkOrigins(
  service: string,
  written: string,
  rendered: string,
  pinned: readonly string[],
  trusted: string | undefined,
): string {
  const origin = originOf(rendered);
  if (!origin || origin !== readOrigin(rendered))
    throw new RecipeOriginError(
      `the recipe of '${service}' has a URL that the SDK does not send secrets to: '${written}'`,
    );
  if (origin === trusted || pinned.includes(writtenOrigin(written) as string)) return origin;
  const known = pinned.join(", ");
  throw new RecipeOriginError(
    `the recipe of '${service}' would send its secrets to ${origin} (${known ? `expected ${known}` : "the SDK knows none for this service"}). ` +
      `If that is right, say so: bind('${service}', { trustOrigin: '${origin}' }); for a service of your own, auth.setup() in the same client pins it`,
  );
}
