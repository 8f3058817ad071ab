/**
 * Which secrets a recipe may use, and where they may go. Every decision about sending them is made here.
 *
 * The recipe of a shipped service must have the shape that the SDK knows, which `checkRecipe` compares: with the
 * right origin alone, the path could still be that of another's account. A recipe gets only secrets that `mayUse`
 * lets it have: those of its own service.
 *
 * They go to one origin, which `checkOrigins` returns when a client is bound; `mayReceiveSecrets` compares each
 * request with it. Which origins are right is the SDK's own knowledge, not what the engine returns: on the deployed
 * engine anyone can rewrite a recipe, and with it where the secrets go (docs/contract.md#pinned-origins).
 * `http/trust.ts` decides about the API key.
 */

import { RecipeChangedError, RecipeOriginError } from "../core/errors.js";
import { isSecure, originOf, readOrigin } from "../core/origins.js";
import { type KnownRecipe, knownRecipes } from "./knownRecipes.js";
import { Template } from "./placeholders.js";
import type { Recipe } from "./recipe.js";
import { difference, isSameUrl, shown, writtenOrigin } from "./shape.js";

/** What decides about recipes, besides themselves. */
interface Policy {
  settings: { baseUrl: string };
  memory: { pinned: Map<string, readonly string[]> };
}

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

/** The names of the shipped services. */
export const shippedServices: readonly string[] = /* @__PURE__ */ Object.keys(knownRecipes);

/** Returns what the SDK knows of a shipped service; undefined for any other. */
function knownOf(service: string, { settings }: Policy): KnownRecipe | undefined {
  if (!shippedServices.includes(service)) return undefined; // not by the name alone: it may be `constructor`
  const [baseUrl, ...rest] = knownRecipes[service] as KnownRecipe;
  return [baseUrl.replace("{{engine.url}}", settings.baseUrl), ...rest];
}

const ownKeysOf = (service: string): readonly string[] =>
  shippedServices.includes(service) ? (knownRecipes[service]?.[2] ?? []) : [];

/** Returns the URLs of a known recipe: for requests, then for tokens. */
const urlsOf = ([baseUrl, , , endpoint]: KnownRecipe): string[] => [baseUrl, ...(endpoint ? [endpoint] : [])];

const originsOf = (urls: string[]): string[] => urls.flatMap((url) => writtenOrigin(url) ?? []);

/** Returns the origins that are known to be the service's own, as recipes write them. */
export function knownOrigins(service: string, policy: Policy): readonly string[] {
  const known = knownOf(service, policy);
  return known ? originsOf(urlsOf(known)) : (policy.memory.pinned.get(service) ?? []);
}

/** Remembers the origins of a service that arcrun does not ship, as its recipe writes them at `auth.setup`. */
export function pinOrigins({ service, baseUrl, grant }: Recipe, { memory }: Policy): void {
  if (shippedServices.includes(service)) return;
  const origins = originsOf([baseUrl.text, grant?.endpoint ?? ""]);
  memory.pinned.set(
    service,
    origins.filter((origin) => origin.startsWith("https:")),
  );
}

/**
 * Tells whether a service's recipe may use a secret.
 *
 * A secret serves the service that it was stored for, and the shipped services that are known to sign in with its
 * key. One that was stored without a service, under another key, serves a service only if the user trusts its recipe.
 *
 * @param key - The key by which the recipe names it.
 * @param storedFor - The service that it was stored for, if one was said.
 */
export function mayUse(
  service: string,
  key: string,
  storedFor: string | undefined,
  trustRecipe: boolean,
): boolean {
  if (storedFor === service || ownKeysOf(service).includes(key)) return true;
  // Keys are case-sensitive. But one variable holds both `a_token` and `A_Token`, as do some engines, so that another
  // service's key is refused in any case; `a_token__x` is an account's.
  const [own] = key.toLowerCase().split("__");
  return (
    trustRecipe && !storedFor && !shippedServices.some((name) => ownKeysOf(name).includes(own as string))
  );
}

/**
 * Throws if a shipped service's recipe is not the one that the SDK knows.
 *
 * Origins are compared by `checkOrigins`: at an origin that only the user knows, the path may be another one too, but
 * no other secret stands in it.
 */
export function checkRecipe(recipe: Recipe, policy: Policy): void {
  const { service, baseUrl, grant } = recipe;
  const known = knownOf(service, policy);
  if (!known) return;
  let found = difference(recipe, known);
  const usual = new Template(known[0]).secretKeys;
  if (!baseUrl.secretKeys.every((key) => usual.includes(key)))
    found = `base_url holds another secret: ${shown(baseUrl.text)}`;
  const expected = urlsOf(known);
  [baseUrl.text, grant?.endpoint].forEach((url, i) => {
    const own = expected[i];
    if (url && own && originsOf(expected).includes(writtenOrigin(url) as string) && !isSameUrl(url, own))
      found = `it has the URL ${shown(url)}, not '${own}'`;
  });
  if (found)
    throw new RecipeChangedError(
      `the auth recipe of '${service}' is not the one that the SDK knows: ${found}. Secrets could go to someone else with it, so none was used. ` +
        `If you know that it is right, say so: bind('${service}', { trustRecipe: true })`,
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

/** Returns the origin of one of a recipe's URLs, given as `written`, with placeholders, and as `rendered`, without. */
function checkOrigin(
  service: string,
  written: string,
  rendered: string,
  known: readonly string[],
  trusted: string | undefined,
): string {
  const origin = originOf(rendered);
  if (!origin || origin !== readOrigin(rendered) || /[?#]/.test(written))
    throw new RecipeOriginError(
      `the auth recipe of '${service}' has a URL that the SDK sends no secrets to: ${shown(written)}`,
    );
  // As written: another's `evil.atlassian.net` is not `{{secret.jira_domain}}.atlassian.net`.
  if (origin === trusted || known.includes(writtenOrigin(written) as string)) return origin;
  const expected = known.length ? `expected ${known.join(", ")}` : "the SDK knows no origin of this service";
  throw new RecipeOriginError(
    `the auth recipe of '${service}' would send its secrets to ${origin} (${expected}). ` +
      `If that origin is correct, name it: bind('${service}', { trustOrigin: '${origin}' }); for a service of your own, auth.setup() in the same client remembers it`,
  );
}
