/** Auth recipes: parsed once, and compared with the secrets that a user gives. */

import { ConfigurationError, InvalidArgumentError, UnexpectedResponseError } from "../core/errors.js";
import { checkCredential } from "../core/names.js";
import { nearest } from "../core/nearest.js";
import type { Secret } from "../core/secret.js";
import { isText, type JsonObject, objectOf, textsOf } from "../core/shapes.js";
import type { AuthRecipe, RequiredSecret } from "../core/types.js";
import { parseTemplate, Template, type Values } from "./placeholders.js";

/** What a recipe adds to requests: by section (`header`, `query`, …) and name, a `Template` or a constant. */
export type Inject = Record<string, JsonObject>;

/** How requests to a service are authenticated (docs/contract.md#auth-recipes). Holds no secret. */
export class Recipe {
  readonly service: string;
  readonly primitive: string;
  readonly baseUrl: Template;
  /** The secrets that must be given. */
  readonly required: readonly RequiredSecret[];
  readonly requiredKeys: readonly string[];
  readonly optionalKeys: readonly string[];
  readonly inject: Inject;
  /** The key of the secret that is the refresh token of an oauth2 recipe. */
  readonly refreshKey: string | undefined;
  /** A `Template` or a constant, as `clientSecret`. */
  readonly clientId: unknown;
  readonly clientSecret: unknown;
  /** The scopes of the access tokens that are fetched. */
  readonly scopes: readonly string[];
  /** The keys of the secrets that a bound client uses, without repetition. */
  readonly keysUsed: readonly string[];
  private readonly endpoint: unknown;

  /** Takes a recipe whose shape `parseRecipe` has checked. */
  constructor(found: AuthRecipe) {
    const { service, primitive, required_secrets: secrets } = found;
    const isOAuth2 = primitive === "oauth2";
    const oauth2 = parseTemplates(objectOf(found.oauth2) ?? {});
    const exchange = objectOf(isOAuth2 ? found.oauth2 : found.token_exchange) ?? {};
    this.service = service;
    this.primitive = primitive;
    this.baseUrl = new Template(found.base_url);
    this.required = secrets.filter(({ optional }) => !optional);
    this.requiredKeys = this.required.map(({ key }) => key);
    this.optionalKeys = secrets.flatMap(({ key, optional }) => (optional ? key : []));
    this.inject = parseInject(found.inject ?? {});
    this.refreshKey = [
      ...keysIn(oauth2["refresh_token"]),
      ...this.requiredKeys.filter((key) => key.endsWith("refresh_token")),
    ][0];
    this.clientId = oauth2["client_id"];
    this.clientSecret = oauth2["client_secret"];
    this.scopes = textsOf(exchange["scopes"]);
    this.endpoint = exchange[isOAuth2 ? "token_endpoint" : "endpoint"];
    const keys = [this.baseUrl, ...injections(this.inject), ...Object.values(oauth2)].flatMap(keysIn);
    if (primitive === "service_account") keys.push(...this.requiredKeys.slice(0, 1));
    if (isOAuth2 && this.refreshKey) keys.push(this.refreshKey);
    this.keysUsed = [...new Set(keys)];
  }

  /** Returns the token endpoint; undefined for a recipe that fetches no access token. */
  tokenEndpoint(): string | undefined {
    if (this.primitive !== "service_account" && this.primitive !== "oauth2") return undefined;
    if (isText(this.endpoint)) return this.endpoint;
    throw new UnexpectedResponseError(`the auth recipe of '${this.service}' names no token endpoint`);
  }

  /** Returns the key of the one secret that a static_key recipe injects. */
  tokenKey(): string {
    const keys = [...new Set(injections(this.inject).flatMap(keysIn))];
    if (keys.length === 1) return keys[0] as string;
    throw new InvalidArgumentError(
      `'${this.service}' signs in with ${keys.length} secrets (${keys.join(", ")}), so it has no one token: use client.auth.bind('${this.service}')`,
    );
  }

  /** Returns what is injected, without what an optional secret would fill that was not given. */
  injected(values: Values): Inject {
    return mapSections(this.inject, (names) =>
      Object.entries(names).filter(([, item]) => keysIn(item).every((key) => values.has(key))),
    );
  }
}

/** Parses a recipe that the engine returned; throws if it does not have the shape that the contract promises. */
export function parseRecipe(found: JsonObject, service: string): Recipe {
  const recipe = found as unknown as AuthRecipe;
  const secrets = recipe.required_secrets;
  const inject = objectOf(recipe.inject ?? {});
  const isSound =
    recipe.service === service &&
    isText(recipe.base_url) &&
    Array.isArray(secrets) &&
    secrets.every((secret) => isText(objectOf(secret)?.["key"])) &&
    inject &&
    Object.values(inject).every(objectOf);
  if (!isSound)
    throw new UnexpectedResponseError(
      `the engine's auth recipe for '${service}' is malformed: it needs this service, a base_url, required_secrets with a key each, and sections of names in inject`,
    );
  for (const { key } of secrets) checkCredential(key);
  return new Recipe(recipe);
}

/** Parses a recipe's `inject`. */
export const parseInject = (inject: Inject): Inject =>
  mapSections(inject, (names) => Object.entries(parseTemplates(names)));

const parseTemplates = (names: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(names).map(([name, value]) => [name, parseTemplate(value)]));

const mapSections = (inject: Inject, change: (names: JsonObject) => [string, unknown][]): Inject =>
  Object.fromEntries(
    Object.entries(inject).map(([section, names]) => [section, Object.fromEntries(change(names))]),
  );

const injections = (inject: Inject): unknown[] =>
  Object.values(inject).flatMap((names) => Object.values(names));

const keysIn = (item: unknown): readonly string[] => (item instanceof Template ? item.secretKeys : []);

/** Throws for recipes that this SDK cannot bind. */
export function checkPrimitive({ primitive, service }: Recipe): void {
  if (!["static_key", "service_account", "oauth2"].includes(primitive))
    throw new ConfigurationError(`'${service}' signs in by '${primitive}', which this SDK does not support`);
}

/** Throws if the secrets given to `setup` are not those that the recipe asks for. */
export function checkSecrets(recipe: Recipe, secrets: ReadonlyMap<string, Secret | undefined>): void {
  const known = [...recipe.requiredKeys, ...recipe.optionalKeys];
  const subject = `auth.setup('${recipe.service}')`;
  const missing = recipe.required.filter(({ key }) => !secrets.has(key));
  if (missing.length)
    throw new InvalidArgumentError(
      `${subject} also needs ${missing.map(({ key, help_url }) => (help_url ? `${key} (${help_url})` : key)).join(", ")}`,
    );
  for (const [key, secret] of secrets) {
    if (!known.includes(key))
      throw new InvalidArgumentError(
        `${subject} takes no secret '${key}'${nearest(key, known)}; it takes ${known.join(", ")}`,
      );
    if (!secret) throw new InvalidArgumentError(`${subject}: ${key} must be non-empty text`);
  }
}
