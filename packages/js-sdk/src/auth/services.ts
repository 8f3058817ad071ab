/** What is behind `client.auth`: recipes read, secrets found, origins checked, clients bound. */

import { checkTimeout } from "../core/config.js";
import { variable } from "../core/environment.js";
import { APIStatusError, ArcrunError, MissingSecretError, UnknownServiceError } from "../core/errors.js";
import { nearest } from "../core/nearest.js";
import { type Envelope, readEnvelope, unseal } from "../core/sealing.js";
import { type Secret, secretOf } from "../core/secret.js";
import { checkAccount, checkService, credentialName, secretVariable } from "../core/serviceNames.js";
import type { AuthRecipe, CallOptions, SetupResult } from "../core/types.js";
import type { Connection } from "../http/connection.js";
import { runtimeFetch, unlessAborted } from "../http/fetch.js";
import type { TokenSource } from "../http/memory.js";
import { credentialPath } from "../http/operations.js";
import { type Call, fieldOf } from "../http/request.js";
import { checkOrigins, checkTrusted, OWN, shippedOrigins, writtenOrigin } from "../recipes/pinned.js";
import { isConstant, renderBaseUrl, type Values } from "../recipes/placeholders.js";
import {
  checkPrimitive,
  checkRecipe,
  checkSecrets,
  injected,
  keysUsed,
  optionalKeys,
  requiredKeys,
  tokenKey,
  withoutUnfilled,
} from "../recipes/recipe.js";
import { AuthenticatedClient } from "./bound.js";
import { injection, splitConstants } from "./injection.js";
import type { BindOptions, SetupOptions, TokenOptions } from "./options.js";
import { pushSecret } from "./push.js";
import { endpointOf, readAccount, tokenSource } from "./tokens.js";
import { injecting } from "./transport.js";

/** `auth.setup`. */
export async function setup(
  connection: Connection,
  service: string,
  secrets: Record<string, string>,
  options: SetupOptions,
): Promise<SetupResult> {
  const { account } = options;
  checkService(service);
  checkAccount(account);
  connection.key();
  const given = new Map(Object.entries(secrets).map(([key, text]) => [key, secretOf(text)]));
  const recipe = await recipeOf(connection, service, options, true);
  checkSecrets(recipe, given);
  const values = given as Map<string, Secret>;
  checkFit(recipe, values);
  const stored: string[] = [];
  for (const [key, value] of values) {
    const name = credentialName(key, account);
    try {
      await pushSecret(connection, name, value, { ...options, service });
    } catch (error) {
      throw halfWay(error, service, stored);
    }
    stored.push(name);
  }
  for (const [key, value] of values) connection.memory.secrets.set(credentialName(key, account), value);
  pin(connection, recipe);
  return { service, account: account ?? null, stored };
}

/** `auth.bind`. */
export async function bind(
  connection: Connection,
  service: string,
  options: BindOptions,
): Promise<AuthenticatedClient> {
  const trusted = checkTrusted(options.trustOrigin);
  const recipe = await checkedRecipe(connection, service, options);
  const pinned = pinnedOrigins(connection, recipe);
  // Before any secret is looked for, where that can be told. For other services a missing one is the first thing to say.
  if (pinned.length && isConstant(recipe.base_url)) checkOrigin(recipe, recipe.base_url, pinned, trusted);
  const values = await valuesOf(connection, recipe, options);
  const baseUrl = renderBaseUrl(recipe.base_url, values);
  const own = checkOrigin(recipe, baseUrl, pinned, trusted);
  const [constants, inject] = splitConstants(withoutUnfilled(injected(recipe), values));
  const source = tokenSourceOf(connection, recipe, options.account, values);
  const signIn = { inject, values, source };
  const send = injecting(own, signIn, constants, options.fetch ?? runtimeFetch);
  const timeout = checkTimeout(options.timeout ?? connection.timeout);
  return new AuthenticatedClient(baseUrl, send, timeout);
}

/** `auth.getToken`. */
export async function getToken(
  connection: Connection,
  service: string,
  options: TokenOptions,
): Promise<string> {
  const trusted = checkTrusted(options.trustOrigin);
  const recipe = await checkedRecipe(connection, service, options);
  const values = await valuesOf(connection, recipe, options);
  const source = tokenSourceOf(connection, recipe, options.account, values);
  if (!source) return (values.get(tokenKey(recipe)) as Secret)();
  const baseUrl = renderBaseUrl(recipe.base_url, values);
  checkOrigin(recipe, baseUrl, pinnedOrigins(connection, recipe), trusted);
  return (await unlessAborted(source.get(runtimeFetch), options.signal)).access();
}

/** Checks the names, and returns the recipe if this SDK can sign in by it. */
async function checkedRecipe(
  connection: Connection,
  service: string,
  options: TokenOptions,
): Promise<AuthRecipe> {
  checkService(service);
  checkAccount(options.account);
  const recipe = await recipeOf(connection, service, options);
  checkPrimitive(recipe);
  return recipe;
}

/** Finds the plaintexts that a recipe uses, by key. */
async function valuesOf(connection: Connection, recipe: AuthRecipe, options: TokenOptions): Promise<Values> {
  const { account } = options;
  const values = new Map<string, Secret>();
  const missing: string[] = [];
  for (const key of keysUsed(recipe)) {
    const value = await find(connection, credentialName(key, account), options);
    if (value) values.set(key, value);
    else if (!optionalKeys(recipe).includes(key)) missing.push(key);
  }
  if (missing.length) throw missingSecrets(recipe.service, account, missing);
  return values;
}

/** Remembers where a service of the user's own sends its secrets, as seen at set-up. */
function pin(connection: Connection, recipe: AuthRecipe): void {
  const { service, base_url } = recipe;
  if (shippedOrigins.has(service) || service === OWN) return;
  const found = [base_url, endpointOf(recipe)].flatMap((url) => writtenOrigin(url ?? "") ?? []);
  connection.memory.pinned.set(
    service,
    found.filter((origin) => origin.startsWith("https:")),
  );
}

/** Returns the origins that a service's secrets may go to. */
const pinnedOrigins = ({ memory, origin }: Connection, { service }: AuthRecipe): readonly string[] =>
  service === OWN ? [origin] : (shippedOrigins.get(service) ?? memory.pinned.get(service) ?? []);

/** Returns the origin of a recipe's requests, if it and the token endpoint's are right. */
function checkOrigin(
  recipe: AuthRecipe,
  baseUrl: string,
  pinned: readonly string[],
  trusted: string | undefined,
): string {
  const { service } = recipe;
  const endpoint = endpointOf(recipe);
  if (endpoint) checkOrigins(service, endpoint, endpoint, pinned, trusted);
  return checkOrigins(service, recipe.base_url, baseUrl, pinned, trusted);
}

function tokenSourceOf(
  connection: Connection,
  recipe: AuthRecipe,
  account: string | undefined,
  values: Values,
): TokenSource | undefined {
  const endpoint = endpointOf(recipe);
  if (!endpoint) return undefined;
  const { tokenSources, secrets } = connection.memory;
  const { service } = recipe;
  const used = JSON.stringify([service, account, endpoint]);
  const known = tokenSources.get(used);
  if (known?.fits(values)) return known;
  const source = tokenSource(recipe, endpoint, values, connection.timeout, async (key, value) => {
    const name = credentialName(key, account);
    secrets.set(name, value);
    await pushSecret(connection, name, value, { service });
    secrets.set(name, value); // a push forgets it
  });
  tokenSources.set(used, source);
  return source;
}

/** `GET /auth-recipes/{service}`. */
const getRecipe = (service: string): Call<AuthRecipe> => ({
  method: "GET",
  path: `/auth-recipes/${encodeURIComponent(service)}`,
  key: "welcome",
  closer: (status) =>
    status === 404
      ? {
          kind: UnknownServiceError,
          words: `there is no auth recipe for '${service}'`,
          hint: nearest(service, [...shippedOrigins.keys()]) || "; client.auth.listServices() lists all",
        }
      : undefined,
  read: (answer) => checkRecipe(fieldOf(answer, "recipe", "object"), service),
});

/** `GET /credentials/{name}`, the sealed read; another shape of answer counts as none. */
const readCredential = (name: string): Call<Envelope | undefined> => ({
  method: "GET",
  path: credentialPath(name),
  read: (answer) => readEnvelope(name, answer),
});

async function recipeOf(
  { memory, call }: Connection,
  service: string,
  options: CallOptions,
  again = false,
): Promise<AuthRecipe> {
  let recipe = again ? undefined : memory.recipes.get(service);
  if (!recipe) {
    recipe = await call(getRecipe(service), options);
    memory.recipes.set(service, recipe);
  }
  return recipe;
}

/** Looks for a plaintext: in memory, a sealed read, the environment. */
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
    const envelope = await connection.call(readCredential(name), options);
    return envelope && secretOf(await unseal(connection.key(), name, envelope));
  } catch (error) {
    // No such credential, or an engine without the read.
    if (error instanceof APIStatusError && [404, 405].includes(error.status)) return undefined;
    throw error;
  }
}

/** Refuses secrets that a bound client could not use, before any is stored. */
function checkFit(recipe: AuthRecipe, values: Values): void {
  renderBaseUrl(recipe.base_url, values);
  injection(withoutUnfilled(injected(recipe), values), values, () => "token");
  if (recipe.primitive === "service_account") readAccount(values.get(requiredKeys(recipe)[0] as string));
}

/** Says in an error of `setup` what was stored before it. */
function halfWay(error: unknown, service: string, stored: string[]): unknown {
  if (error instanceof ArcrunError) {
    error.stored = stored;
    error.message += `; stored before: ${stored.join(", ") || "nothing"}. auth.setup('${service}') again completes it`;
  }
  return error;
}

function missingSecrets(service: string, account: string | undefined, keys: string[]): MissingSecretError {
  const names = keys.map((key) => credentialName(key, account));
  const given = keys.map((key) => `${key}: "…"`).join(", ");
  const whose = account ? `, { account: '${account}' }` : "";
  const error = new MissingSecretError(
    `'${service}' needs ${names.join(", ")}: run client.auth.setup('${service}', { ${given} }${whose}), or set ${names.map(secretVariable).join(", ")}`,
  );
  error.missing = names;
  return error;
}
