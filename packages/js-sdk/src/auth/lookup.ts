/** Finds the recipe of a service, and its secrets: in memory, at the engine, in the environment. */

import { variable } from "../core/environment.js";
import { APIStatusError, MissingSecretError } from "../core/errors.js";
import { unseal } from "../core/sealing.js";
import { type Secret, secretOf } from "../core/secret.js";
import { credentialName, secretVariable } from "../core/serviceNames.js";
import type { CallOptions } from "../core/types.js";
import type { Connection } from "../http/connection.js";
import type { StoredSecret } from "../http/memory.js";
import type { Values } from "../recipes/placeholders.js";
import type { Recipe } from "../recipes/recipe.js";
import { checkRecipe, mayUse } from "../recipes/trust.js";
import { getRecipe, readCredential } from "./operations.js";
import type { TokenOptions } from "./options.js";

/** Returns a service's recipe, which `auth.setup` fetches even if it is in memory. */
export async function recipeOf(
  { memory, send }: Connection,
  service: string,
  options: CallOptions,
  call: "auth.setup" | "auth.bind" | "auth.getToken",
): Promise<Recipe> {
  let recipe = call === "auth.setup" ? undefined : memory.recipes.get(service);
  if (!recipe) {
    recipe = await send(getRecipe(service, call), options);
    memory.recipes.set(service, recipe);
  }
  return recipe;
}

/** Returns the secrets that a recipe uses, by key; throws if one that is required is not found. */
export async function valuesOf(
  connection: Connection,
  recipe: Recipe,
  options: TokenOptions,
): Promise<Values> {
  const { account, trustRecipe = false } = options;
  const { service } = recipe;
  if (!trustRecipe) checkRecipe(recipe, connection);
  const values = new Map<string, Secret>();
  const missing: string[] = [];
  for (const key of recipe.keysUsed) {
    const name = credentialName(key, account);
    const found = await find(connection, name, options);
    if (found && !mayUse(service, key, found.service, trustRecipe))
      throw refusedSecret(service, name, found.service);
    if (found) values.set(key, found.value);
    else if (!recipe.optionalKeys.includes(key)) missing.push(key);
  }
  if (missing.length) throw missingSecrets(service, account, missing);
  return values;
}

/** Looks for the plaintext of a credential. */
async function find(
  connection: Connection,
  name: string,
  options: CallOptions,
): Promise<StoredSecret | undefined> {
  const { memory, settings } = connection;
  const known = memory.secrets.get(name);
  if (known) return known;
  if (settings.apiKey) {
    const read = await sealedRead(connection, name, options);
    if (read) {
      memory.secrets.set(name, read);
      return read;
    }
  }
  const value = secretOf(variable(secretVariable(name)));
  return value && { value, service: undefined };
}

async function sealedRead(
  connection: Connection,
  name: string,
  options: CallOptions,
): Promise<StoredSecret | undefined> {
  try {
    const envelope = await connection.send(readCredential(name), options);
    const value = envelope && secretOf(await unseal(connection.key(), name, envelope));
    return value && { value, service: envelope.service };
  } catch (error) {
    // There is no such credential, or the engine has no sealed read.
    if (error instanceof APIStatusError && [404, 405].includes(error.status)) return undefined;
    throw error;
  }
}

/** Returns the error for secrets that were not found. */
export function missingSecrets(
  service: string,
  account: string | undefined,
  keys: string[],
): MissingSecretError {
  const names = keys.map((key) => credentialName(key, account));
  const secrets = keys.map((key) => `${key}: "…"`).join(", ");
  const options = account ? `, { account: '${account}' }` : "";
  const error = new MissingSecretError(
    `'${service}' needs ${names.join(", ")}: call client.auth.setup('${service}', { ${secrets} }${options}), or set ${names.map(secretVariable).join(", ")}`,
  );
  error.missing = names;
  return error;
}

/** Returns the error for a secret that is there, and that a service's recipe may not use. */
function refusedSecret(service: string, name: string, storedFor: string | undefined): MissingSecretError {
  const where = storedFor ? `stored for '${storedFor}'` : "stored without a service";
  const trust = storedFor ? "" : `, or trust the recipe: bind('${service}', { trustRecipe: true })`;
  const error = new MissingSecretError(
    `the auth recipe of '${service}' asks for '${name}', which is ${where}: a secret serves its own service only. ` +
      `If it is for '${service}', store it for it: client.auth.setup('${service}', { … }), or client.creds.push('${name}', …, { service: '${service}' })${trust}`,
  );
  error.missing = [name];
  return error;
}
