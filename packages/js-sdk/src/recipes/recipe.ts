/** Auth recipes: which secrets they need, and whether those given fit. */

import { ConfigurationError, InvalidArgumentError, UnexpectedResponseError } from "../core/errors.js";
import { checkCredential } from "../core/names.js";
import { nearest } from "../core/nearest.js";
import type { Secret } from "../core/secret.js";
import { isText, type JsonObject, objectOf } from "../core/shapes.js";
import type { AuthRecipe } from "../core/types.js";
import { secretKeys, type Values } from "./placeholders.js";

/** A recipe's `inject`: from section to name to template. */
export type Inject = Record<string, Record<string, unknown>>;

/** Returns an engine's recipe if it has the shape that the contract promises. */
export function checkRecipe(found: JsonObject, service: string): AuthRecipe {
  const { inject: given, token_exchange, oauth2 } = found;
  const recipe = {
    ...found,
    inject: given ?? {},
    token_exchange: objectOf(token_exchange) ?? {},
    oauth2: objectOf(oauth2) ?? {},
  } as unknown as AuthRecipe;
  const secrets = recipe.required_secrets;
  const inject = objectOf(recipe.inject);
  const sound =
    recipe.service === service &&
    isText(recipe.base_url) &&
    Array.isArray(secrets) &&
    secrets.every((secret) => isText(objectOf(secret)?.["key"])) &&
    inject &&
    Object.values(inject).every(objectOf);
  if (!sound)
    throw new UnexpectedResponseError(
      `the engine's recipe for '${service}' lacks service, base_url, required_secrets or inject in the form of CONTRACT.md §4`,
    );
  for (const { key } of secrets) checkCredential(key);
  return recipe;
}

/** Refuses recipes that this SDK cannot bind. */
export function checkPrimitive({ primitive, service }: AuthRecipe): void {
  if (!["static_key", "service_account", "oauth2"].includes(primitive))
    throw new ConfigurationError(`'${service}' signs in by '${primitive}', which this SDK cannot do`);
}

const keysWhere = ({ required_secrets }: AuthRecipe, optional: boolean): string[] =>
  required_secrets.flatMap((secret) => (!!secret.optional === optional ? secret.key : []));

/** Lists the keys of the secrets that must be given. */
export const requiredKeys = (recipe: AuthRecipe): string[] => keysWhere(recipe, false);

/** Lists the keys of the secrets that may be given. */
export const optionalKeys = (recipe: AuthRecipe): string[] => keysWhere(recipe, true);

/** Returns the recipe's `inject`. */
export const injected = ({ inject }: AuthRecipe): Inject => inject ?? {};

const keysIn = (inject: Inject): string[] =>
  Object.values(inject).flatMap((names) => Object.values(names).flatMap(secretKeys));

/** Lists the keys of the secrets that a bound client uses, without repetition. */
export function keysUsed(recipe: AuthRecipe): string[] {
  const { base_url, oauth2 = {}, primitive } = recipe;
  const keys = [...secretKeys(base_url), ...keysIn(injected(recipe)), ...keysIn({ oauth2 })];
  if (primitive === "service_account") keys.push(...requiredKeys(recipe).slice(0, 1));
  if (primitive === "oauth2") keys.push(...refreshKeys(recipe));
  return [...new Set(keys)];
}

/** Names the secret that is an oauth2 recipe's refresh token, in a list of one or none. */
export const refreshKeys = (recipe: AuthRecipe): string[] =>
  [
    ...secretKeys(recipe.oauth2?.refresh_token),
    ...requiredKeys(recipe).filter((key) => key.endsWith("refresh_token")),
  ].slice(0, 1);

/** Leaves out the injections whose (optional) secret was not given. */
export const withoutUnfilled = (inject: Inject, values: Values): Inject =>
  Object.fromEntries(
    Object.entries(inject).map(([section, names]) => [
      section,
      Object.fromEntries(
        Object.entries(names).filter(([, item]) => secretKeys(item).every((key) => values.has(key))),
      ),
    ]),
  );

/** Compares what `setup` was given with what the recipe needs. */
export function checkSecrets(recipe: AuthRecipe, secrets: ReadonlyMap<string, Secret | undefined>): void {
  const required = requiredKeys(recipe);
  const known = [...required, ...optionalKeys(recipe)];
  const subject = `auth.setup('${recipe.service}')`;
  const missing = recipe.required_secrets.filter(({ key }) => required.includes(key) && !secrets.has(key));
  if (missing.length)
    throw new InvalidArgumentError(
      `${subject} needs also: ${missing.map(({ key, help_url }) => (help_url ? `${key} (${help_url})` : key)).join(", ")}`,
    );
  for (const [key, secret] of secrets) {
    if (!known.includes(key))
      throw new InvalidArgumentError(
        `${subject} knows no secret '${key}'${nearest(key, known)}; it takes ${known.join(", ")}`,
      );
    if (!secret) throw new InvalidArgumentError(`${subject}: ${key} must be non-empty text`);
  }
}

/** Names the one secret that a static_key recipe injects. */
export function tokenKey(recipe: AuthRecipe): string {
  const keys = [...new Set(keysIn(injected(recipe)))];
  if (keys.length === 1) return keys[0] as string;
  throw new InvalidArgumentError(
    `'${recipe.service}' signs in with ${keys.length} secrets (${keys.join(", ")}), so it has no one token: use client.auth.bind('${recipe.service}')`,
  );
}
