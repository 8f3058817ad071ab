/** `auth.bind` and `auth.getToken`: find the secrets of a service, and sign in with them. */

import { checkFetch, checkTimeout } from "../core/config.js";
import { checkProxy } from "../core/proxies.js";
import { checkAccount, checkService, credentialName } from "../core/serviceNames.js";
import type { Connection } from "../http/connection.js";
import { runtimeFetch } from "../http/fetch.js";
import type { TokenSource } from "../http/memory.js";
import { renderBaseUrl, type Values } from "../recipes/placeholders.js";
import { checkSupported, type Recipe } from "../recipes/recipe.js";
import { checkOrigins, checkTrustOrigin, knownOrigins } from "../recipes/trust.js";
import { AuthenticatedClient } from "./bound.js";
import { splitConstants } from "./injection.js";
import { missingSecrets, recipeOf, valuesOf } from "./lookup.js";
import type { BindOptions, TokenOptions } from "./options.js";
import { pushSecret } from "./push.js";
import { tokenSource } from "./tokens.js";
import { injectingSend } from "./transport.js";

/** Returns a client of a service whose requests are signed in: `auth.bind`. */
export async function bind(
  connection: Connection,
  service: string,
  options: BindOptions,
): Promise<AuthenticatedClient> {
  const trusted = checkTrustOrigin(options.trustOrigin);
  const timeout = checkTimeout(options.timeout ?? connection.timeout);
  const recipe = await supportedRecipe(connection, service, options, "auth.bind");
  const known = knownOrigins(service, connection);
  // Before any secret is looked for, where that is possible. For other services a missing secret is reported first.
  if (known.length && recipe.baseUrl.isConstant) checkOrigins(recipe, recipe.baseUrl.text, known, trusted);
  const values = await valuesOf(connection, recipe, options);
  const baseUrl = renderBaseUrl(recipe.baseUrl, values);
  const origin = checkOrigins(recipe, baseUrl, known, trusted);
  const [constants, inject] = splitConstants(recipe.injected(values));
  const source = tokenSourceOf(connection, recipe, options.account, values);
  const signIn = { inject, values, source };
  if (!options.fetch) checkProxy(origin);
  const send = injectingSend(origin, signIn, constants, checkFetch(options.fetch ?? runtimeFetch));
  return new AuthenticatedClient(baseUrl, send, timeout);
}

/** Returns a service's token itself: `auth.getToken`. */
export async function getToken(
  connection: Connection,
  service: string,
  options: TokenOptions,
): Promise<string> {
  const trusted = checkTrustOrigin(options.trustOrigin);
  const recipe = await supportedRecipe(connection, service, options, "auth.getToken");
  const values = await valuesOf(connection, recipe, options);
  const source = tokenSourceOf(connection, recipe, options.account, values);
  if (!source) {
    const key = recipe.tokenKey();
    const token = values.get(key);
    if (!token) throw missingSecrets(service, options.account, [key]); // it is optional: `bind` does without
    return token();
  }
  checkOrigins(recipe, renderBaseUrl(recipe.baseUrl, values), knownOrigins(service, connection), trusted);
  return (await source.get(runtimeFetch, options.signal)).access();
}

/** Checks the names, and returns the recipe; throws if this SDK does not support its primitive. */
async function supportedRecipe(
  connection: Connection,
  service: string,
  options: TokenOptions,
  call: "auth.bind" | "auth.getToken",
): Promise<Recipe> {
  checkService(service);
  checkAccount(options.account);
  const recipe = await recipeOf(connection, service, options, call);
  checkSupported(recipe);
  return recipe;
}

/** Returns what fetches the recipe's access tokens, from memory if it has the same secrets; undefined if nothing does. */
function tokenSourceOf(
  connection: Connection,
  recipe: Recipe,
  account: string | undefined,
  values: Values,
): TokenSource | undefined {
  const { grant, service } = recipe;
  if (!grant) return undefined;
  const { tokenSources, secrets } = connection.memory;
  const id = JSON.stringify([service, account, grant.endpoint]);
  const known = tokenSources.get(id);
  if (known?.uses(values)) return known;
  const source = tokenSource(service, grant, values, connection.timeout, async (key, value) => {
    const name = credentialName(key, account);
    secrets.set(name, { value, service });
    await pushSecret(connection, name, value, { service });
    secrets.set(name, { value, service }); // `pushSecret` deletes it
  });
  tokenSources.set(id, source);
  return source;
}
