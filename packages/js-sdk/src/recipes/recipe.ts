/** Auth recipes: parsed once, and compared with the secrets that a user gives. */

import { ConfigurationError, InvalidArgumentError, UnexpectedResponseError } from "../core/errors.js";
import { checkCredential } from "../core/names.js";
import { nearest } from "../core/nearest.js";
import { isText, type JsonObject, objectOf, textsOf } from "../core/shapes.js";
import type { AuthRecipe, RequiredSecret } from "../core/types.js";
import { parseTemplate, Template, type Values } from "./placeholders.js";

/** What a recipe adds to requests: by section (`header`, `query`, …) and name, a `Template` or a constant. */
export type Inject = Record<string, JsonObject>;

/** How an access token is fetched: for an assertion that a service account signs, or for a refresh token. */
export interface Grant {
  endpoint: string;
  scopes: readonly string[];
  /** The key of the secret that is the account's key file, or the refresh token. */
  key: string;
  /** For a refresh token only. */
  clientId?: Template | undefined;
  clientSecret?: Template | undefined;
}

/** How requests to a service are authenticated (docs/contract.md#auth-recipes). Holds no secret. */
export class Recipe {
  readonly service: string;
  readonly primitive: string;
  readonly baseUrl: Template;
  readonly secrets: readonly RequiredSecret[];
  /** The keys of the secrets that need not be given. */
  readonly optionalKeys: readonly string[];
  readonly inject: Inject;
  /** How an access token is fetched; undefined if the recipe needs none. */
  readonly grant: Grant | undefined;
  /** The keys of the secrets that a bound client uses, each once. */
  readonly keysUsed: readonly string[];

  /** Takes a recipe whose shape `parseRecipe` has checked. */
  constructor(found: AuthRecipe) {
    this.service = found.service;
    this.primitive = found.primitive;
    this.baseUrl = new Template(found.base_url);
    this.secrets = found.required_secrets;
    this.inject = parseInject(found.inject ?? {});
    this.grant = parseGrant(found);
    const { clientId, clientSecret, key: grantKey } = this.grant ?? {};
    const needed = [grantKey, ...keysIn(clientId)]; // there is no access token without them
    this.optionalKeys = this.secrets.flatMap(({ key, optional }) =>
      optional && !needed.includes(key) ? key : [],
    );
    const templates = [this.baseUrl, ...injections(this.inject), clientId, clientSecret];
    this.keysUsed = [...new Set([...templates.flatMap(keysIn), ...(grantKey ? [grantKey] : [])])];
  }

  /** Returns the key of the one secret that the recipe injects; throws if there are several. */
  tokenKey(): string {
    const keys = [...new Set(injections(this.inject).flatMap(keysIn))];
    if (keys.length === 1) return keys[0] as string;
    throw new InvalidArgumentError(
      `'${this.service}' signs in with ${keys.length} secrets (${keys.join(", ")}), so it has no single token: use client.auth.bind('${this.service}')`,
    );
  }

  /** Returns what is injected, without entries that need an optional secret that was not given. */
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
      `the engine returned a malformed auth recipe for '${service}': base_url must be text, required_secrets a list of objects with a key, and inject an object of objects`,
    );
  for (const { key } of secrets) checkCredential(key);
  return new Recipe(recipe);
}

/** Parses `token_exchange` or `oauth2`, as the primitive requires. */
function parseGrant(found: AuthRecipe): Grant | undefined {
  const { service, primitive, oauth2, token_exchange } = found;
  if (primitive !== "oauth2" && primitive !== "service_account") return undefined;
  const isOAuth2 = primitive === "oauth2";
  const section = objectOf(isOAuth2 ? oauth2 : token_exchange) ?? {};
  const templateIn = (name: string) => (isText(section[name]) ? new Template(section[name]) : undefined);
  const endpoint = templateIn(isOAuth2 ? "token_endpoint" : "endpoint")?.text;
  if (!endpoint) throw new UnexpectedResponseError(`the auth recipe of '${service}' has no token endpoint`);
  const scopes = textsOf(section["scopes"]);
  const required = found.required_secrets.flatMap(({ key, optional }) => (optional ? [] : key));
  if (!isOAuth2) {
    const [key] = required;
    if (!key) throw new UnexpectedResponseError(`the auth recipe of '${service}' has no required secret`);
    return { endpoint, scopes, key };
  }
  const clientId = templateIn("client_id");
  const key =
    templateIn("refresh_token")?.secretKeys[0] ?? required.find((key) => key.endsWith("refresh_token"));
  if (!key || !clientId)
    throw new UnexpectedResponseError(
      `the auth recipe of '${service}' lacks oauth2.client_id or a required secret whose key ends in refresh_token`,
    );
  return { endpoint, scopes, key, clientId, clientSecret: templateIn("client_secret") };
}

/** Parses a recipe's `inject`. */
export const parseInject = (inject: Inject): Inject =>
  mapSections(inject, (names) => Object.entries(names).map(([name, value]) => [name, parseTemplate(value)]));

const mapSections = (inject: Inject, change: (names: JsonObject) => [string, unknown][]): Inject =>
  Object.fromEntries(
    Object.entries(inject).map(([section, names]) => [section, Object.fromEntries(change(names))]),
  );

const injections = (inject: Inject): unknown[] =>
  Object.values(inject).flatMap((names) => Object.values(names));

const keysIn = (item: unknown): readonly string[] => (item instanceof Template ? item.secretKeys : []);

/** Throws for a recipe that this SDK cannot bind. */
export function checkSupported({ primitive, service }: Recipe): void {
  if (!["static_key", "service_account", "oauth2"].includes(primitive))
    throw new ConfigurationError(`'${service}' signs in by '${primitive}', which this SDK does not support`);
}

/** Throws if the secrets given to `setup` are not those that the recipe asks for. */
export function checkSecrets(recipe: Recipe, secrets: Values): void {
  const known = recipe.secrets.map(({ key }) => key);
  const subject = `auth.setup('${recipe.service}')`;
  const unknown = [...secrets.keys()].find((key) => !known.includes(key));
  if (unknown !== undefined)
    throw new InvalidArgumentError(
      [...secrets.values()].some((secret) => known.includes(secret()))
        ? `${subject}: a key stands where its secret should be; write { KEY: SECRET }`
        : `${subject} takes no secret '${unknown}'${nearest(unknown, known)}; it takes ${known.join(", ")}`,
    );
  const missing = recipe.secrets.filter(({ key, optional }) => !optional && !secrets.has(key));
  if (missing.length)
    throw new InvalidArgumentError(
      `${subject} also needs: ${missing.map(({ key, help_url }) => (help_url ? `${key} (${help_url})` : key)).join(", ")}`,
    );
}
