/**
 * Where a service's secrets may go. Every decision about sending them is made here.
 *
 * They go to one origin, which `checkOrigins` returns when a client is bound; `mayReceiveSecrets` compares each
 * request with it. Which origins are right is the SDK's own knowledge, not what the engine returns: on the deployed
 * engine anyone can rewrite a recipe, and with it where the secrets go (docs/contract.md#pinned-origins).
 * `http/trust.ts` decides about the API key.
 */

import { RecipeOriginError } from "../core/errors.js";
import { isSecure, originOf, readOrigin } from "../core/origins.js";
import { ENGINE_SERVICE, shippedOrigins } from "./pinned.js";
import { Template } from "./placeholders.js";
import type { Recipe } from "./recipe.js";

/** Returns the origin that the user named, in the form that `originOf` returns. */
export function checkTrustOrigin(trustOrigin: string | undefined): string | undefined {
  if (trustOrigin === undefined) return undefined;
  const origin = /^https?:\/\/[\w.:[\]-]+\/?$/i.test(trustOrigin) ? originOf(trustOrigin) : undefined;
  if (!origin)
    throw new RecipeOriginError(
      `trustOrigin '${trustOrigin}' is not an origin: write scheme, host and port only, such as https://api.example.com`,
    );
  if (!isSecure(origin))
    throw new RecipeOriginError(
      `trustOrigin '${trustOrigin}' is not https: secrets are sent over plain http to loopback only`,
    );
  return origin;
}

/**
 * Returns the origins that are known to be the service's own, as recipes write them.
 *
 * @param connection - The connection: the engine's origin, and what `pinOrigins` has remembered.
 */
export const knownOrigins = (
  service: string,
  { origin, memory }: { origin: string; memory: { pinned: ReadonlyMap<string, readonly string[]> } },
): readonly string[] =>
  service === ENGINE_SERVICE ? [origin] : (shippedOrigins.get(service) ?? memory.pinned.get(service) ?? []);

/** Remembers the origins of a service that arcrun does not ship, as its recipe writes them at `auth.setup`. */
export function pinOrigins(recipe: Recipe, pinned: Map<string, readonly string[]>): void {
  const { service } = recipe;
  if (shippedOrigins.has(service) || service === ENGINE_SERVICE) return;
  const urls = [recipe.baseUrl.text, recipe.grant?.endpoint ?? ""];
  pinned.set(
    service,
    urls.flatMap((url) => writtenOrigin(url) ?? []).filter((origin) => origin.startsWith("https:")),
  );
}

/**
 * Returns the origin of a recipe's requests, if the service's secrets may go there; throws if they may not, or not to
 * the token endpoint.
 *
 * @param baseUrl - The recipe's base URL with the placeholders filled in.
 * @param known - The origins known to be the service's own.
 * @param trusted - The origin that the user named, as `checkTrustOrigin` returned it.
 */
export function checkOrigins(
  recipe: Recipe,
  baseUrl: string,
  known: readonly string[],
  trusted: string | undefined,
): string {
  const endpoint = recipe.grant?.endpoint;
  if (endpoint) checkOrigin(recipe.service, endpoint, endpoint, known, trusted);
  return checkOrigin(recipe.service, recipe.baseUrl.text, baseUrl, known, trusted);
}

/**
 * Tells whether a request of a bound client may carry the service's secrets.
 *
 * It is asked for each request that leaves: the user may pass an absolute URL, and a redirect that is followed is
 * another request.
 *
 * @param allowed - The origin that `checkOrigins` returned.
 */
export const mayReceiveSecrets = (url: URL, allowed: string): boolean => url.origin === allowed;

/** Returns the origin of a URL with its placeholders, which is compared before any secret is filled in. */
export const writtenOrigin = (url: string): string | undefined => originOf(new Template(url).normalized());

/** Returns the origin of one of a recipe's URLs, given as `written`, with placeholders, and as `rendered`, without. */
function checkOrigin(
  service: string,
  written: string,
  rendered: string,
  known: readonly string[],
  trusted: string | undefined,
): string {
  const origin = originOf(rendered);
  if (!origin || origin !== readOrigin(rendered))
    throw new RecipeOriginError(
      `the auth recipe of '${service}' has a URL that the SDK sends no secrets to: '${written}'`,
    );
  // As written: another's `evil.atlassian.net` is not `{{secret.jira_domain}}.atlassian.net`.
  if (origin === trusted || known.includes(writtenOrigin(written) as string)) return origin;
  const expected = known.length ? `expected ${known.join(", ")}` : "the SDK knows no origin of this service";
  throw new RecipeOriginError(
    `the auth recipe of '${service}' would send its secrets to ${origin} (${expected}). ` +
      `If that origin is correct, name it: bind('${service}', { trustOrigin: '${origin}' }); for a service of your own, auth.setup() in the same client remembers it`,
  );
}
