/** `auth.setup`: checks the secrets of a service, stores them, pins its origins. */

import { ArcrunError, InvalidArgumentError } from "../core/errors.js";
import { checkCredential } from "../core/names.js";
import { type Secret, secretOf } from "../core/secret.js";
import { checkAccount, checkService, credentialName } from "../core/serviceNames.js";
import { objectOf } from "../core/shapes.js";
import type { SetupResult } from "../core/types.js";
import type { Connection } from "../http/connection.js";
import { renderBaseUrl, type Values } from "../recipes/placeholders.js";
import { checkSecrets, type Recipe } from "../recipes/recipe.js";
import { pinOrigins } from "../recipes/trust.js";
import { injection } from "./injection.js";
import { recipeOf } from "./lookup.js";
import type { SetupOptions } from "./options.js";
import { pushSecret } from "./push.js";
import { readAccount } from "./tokens.js";

/** Stores a service's secrets: `auth.setup`. */
export async function setup(
  connection: Connection,
  service: string,
  secrets: object,
  options: SetupOptions,
): Promise<SetupResult> {
  const { account } = options;
  checkService(service);
  checkAccount(account);
  connection.key();
  const values = checkValues(service, secrets);
  const recipe = await recipeOf(connection, service, options, "auth.setup");
  checkSecrets(recipe, values);
  checkUsable(recipe, values);
  for (const key of values.keys()) checkCredential(credentialName(key, account));
  const stored: string[] = [];
  for (const [key, value] of values) {
    const name = credentialName(key, account);
    try {
      await pushSecret(connection, name, value, { ...options, service });
    } catch (error) {
      throw withStored(error, service, stored);
    }
    stored.push(name);
  }
  for (const [key, value] of values)
    connection.memory.secrets.set(credentialName(key, account), { value, service });
  pinOrigins(recipe, connection);
  return { service, account: account ?? null, stored };
}

/** Returns the secrets by key; throws if one is not text. */
function checkValues(service: string, secrets: unknown): Map<string, Secret> {
  const given = objectOf(secrets);
  if (!given)
    throw new InvalidArgumentError(`auth.setup('${service}') takes the secrets as an object: { KEY: "…" }`);
  return new Map(
    Object.entries(given).map(([key, text]) => {
      const secret = secretOf(text);
      checkCredential(key);
      if (secret) return [key, secret];
      throw new InvalidArgumentError(`auth.setup('${service}'): ${key} must be non-empty text`);
    }),
  );
}

/** Throws for secrets that a bound client could not use, before any is stored. */
function checkUsable(recipe: Recipe, values: Values): void {
  renderBaseUrl(recipe.baseUrl, values);
  injection(recipe.injected(values), values, () => "token");
  if (recipe.primitive === "service_account") readAccount(values.get(recipe.grant?.key as string) as Secret);
}

/** Adds to an error of `setup` what was stored before it. */
function withStored(error: unknown, service: string, stored: string[]): unknown {
  if (error instanceof ArcrunError) {
    error.stored = stored;
    error.message += `; stored before: ${stored.join(", ") || "nothing"}. Call auth.setup('${service}') again to complete it`;
  }
  return error;
}
