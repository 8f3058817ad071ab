/** Finds the recipe of a service, and its secrets: in memory, at the engine, in the environment. */

import { variable } from "../core/environment.js";
import { APIStatusError, MissingSecretError } from "../core/errors.js";
import { unseal } from "../core/sealing.js";
import { type Secret, secretOf } from "../core/secret.js";
import { credentialName, secretVariable } from "../core/serviceNames.js";
import type { CallOptions } from "../core/types.js";
import type { Connection } from "../http/connection.js";
import type { Values } from "../recipes/placeholders.js";
import type { Recipe } from "../recipes/recipe.js";
import { getRecipe, readCredential } from "./operations.js";
import type { TokenOptions } from "./options.js";

/**
 * Returns a service's recipe.
 *
 * @param refresh - Fetch it even if it is in memory.
 */
export async function recipeOf(
  { memory, send }: Connection,
  service: string,
  options: CallOptions,
  refresh = false,
): Promise<Recipe> {
  let recipe = refresh ? undefined : memory.recipes.get(service);
  if (!recipe) {
    recipe = await send(getRecipe(service), options);
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
  const { account } = options;
  const values = new Map<string, Secret>();
  const missing: string[] = [];
  for (const key of recipe.keysUsed) {
    const value = await find(connection, credentialName(key, account), options);
    if (value) values.set(key, value);
    else if (!recipe.optionalKeys.includes(key)) missing.push(key);
  }
  if (missing.length) throw missingSecrets(recipe.service, account, missing);
  return values;
}

/** Looks for the plaintext of a credential. */
async function find(connection: Connection, name: string, options: CallOptions): Promise<Secret | undefined> {
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
  return secretOf(variable(secretVariable(name)));
}

async function sealedRead(
  connection: Connection,
  name: string,
  options: CallOptions,
): Promise<Secret | undefined> {
  try {
    const envelope = await connection.send(readCredential(name), options);
    return envelope && secretOf(await unseal(connection.key(), name, envelope));
  } catch (error) {
    // There is no such credential, or the engine has no sealed read.
    if (error instanceof APIStatusError && [404, 405].includes(error.status)) return undefined;
    throw error;
  }
}

function missingSecrets(service: string, account: string | undefined, keys: string[]): MissingSecretError {
  const names = keys.map((key) => credentialName(key, account));
  const secrets = keys.map((key) => `${key}: "…"`).join(", ");
  const options = account ? `, { account: '${account}' }` : "";
  const error = new MissingSecretError(
    `'${service}' needs ${names.join(", ")}: call client.auth.setup('${service}', { ${secrets} }${options}), or set ${names.map(secretVariable).join(", ")}`,
  );
  error.missing = names;
  return error;
}
