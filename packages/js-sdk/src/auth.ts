/** Services: set up once, then bound to a client that signs every request in. */

import { getRecipe, listServices, readCredential } from "./api.js";
import { AuthenticatedClient } from "./bound.js";
import { checkTimeout } from "./config.js";
import type { Connection } from "./connection.js";
import { pushSecret } from "./creds.js";
import { APIStatusError, ArcrunError, MissingSecretError } from "./errors.js";
import { type Fetch, runtimeFetch } from "./http.js";
import { injection, splitConstants } from "./injection.js";
import { secretFromEnvironment, secretVariable } from "./local.js";
import { checkAccount, checkService, credentialName } from "./names.js";
import { checkOrigins, checkTrusted, OWN, originOf, shippedOrigins } from "./origins.js";
import {
  checkPrimitive,
  checkSecrets,
  injected,
  keysUsed,
  optionalKeys,
  requiredKeys,
  tokenKey,
  withoutUnfilled,
} from "./recipes.js";
import { unseal } from "./sealing.js";
import { type Secret, secretOf } from "./secret.js";
import { renderBaseUrl, type Values } from "./templates.js";
import { endpointOf, readAccount, type TokenSource, tokenSource } from "./tokens.js";
import { injecting } from "./transport.js";
import type { AuthRecipe, CallOptions, SetupResult } from "./types.js";

/** What `auth.setup` takes last. */
export interface SetupOptions extends CallOptions {
  /** Stores the secrets apart, as `KEY__account`, for one of several accounts. */
  account?: string;
}

/** What `auth.getToken` takes last. */
export interface TokenOptions extends CallOptions {
  /** One of several accounts, as named in `setup`. */
  account?: string;
  /** The origin that the recipe may send secrets to, if the SDK does not know it; plain http for loopback only. */
  trustOrigin?: string;
}

/** What `auth.bind` takes last. */
export interface BindOptions extends TokenOptions {
  /** What carries the requests after the secrets were put in; left out, the runtime's `fetch`. */
  fetch?: Fetch;
}

/** `client.auth`: sign in to services without handling their secrets in every call. */
export class Auth {
  /** @internal */
  constructor(private readonly connection: Connection) {}

  /**
   * Lists the services that there are auth recipes for. Needs no API key.
   *
   * @throws {@link APIConnectionError} The engine could not be reached.
   *
   * @example
   * ```ts
   * const services = await client.auth.listServices();
   * console.log(services.some((recipe) => recipe.service === "notion")); // true
   * ```
   */
  async listServices(options?: CallOptions): Promise<AuthRecipe[]> {
    return this.connection.call(listServices(), options);
  }

  /**
   * Stores a service's secrets, each as a credential under its key.
   *
   * @param service - The service's name.
   * @param secrets - Each of the recipe's `required_secrets`, by key.
   * @throws {@link UnknownServiceError} There is no recipe for the service.
   * @throws {@link InvalidArgumentError} A secret is missing, unknown, empty, or can't stand where the recipe
   *   puts it; nothing was stored.
   * @throws {@link ArcrunError} Storing failed; `stored` names what was stored before. Run it again.
   *
   * @example
   * ```ts
   * const result = await client.auth.setup("notion", { notion_token: "ntn_example" });
   * console.log(result.stored); // [ 'notion_token' ]
   * ```
   */
  async setup(
    service: string,
    secrets: Record<string, string>,
    options: SetupOptions = {},
  ): Promise<SetupResult> {
    const { account } = options;
    const { connection } = this;
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
    this.pin(recipe);
    return { service, account: account ?? null, stored };
  }

  /**
   * Returns a client of the service whose requests are signed in.
   *
   * The secrets are put in on the way to the service's own origin only: the client, its responses and its
   * errors never hold them.
   *
   * @param service - The service's name.
   * @throws {@link UnknownServiceError} There is no recipe for the service.
   * @throws {@link MissingSecretError} A secret is neither set up here, nor readable, nor in the environment.
   * @throws {@link RecipeOriginError} The recipe leads to an origin that is not known to be the service's.
   *
   * @example
   * ```ts
   * const notion = await client.auth.bind("notion");
   * console.log(notion.baseUrl); // https://api.notion.com/v1
   * ```
   */
  async bind(service: string, options: BindOptions = {}): Promise<AuthenticatedClient> {
    const [recipe, values] = await this.prepare(service, options);
    const baseUrl = renderBaseUrl(recipe.base_url, values);
    const own = this.checkOrigins(recipe, baseUrl, options.trustOrigin);
    const [constants, inject] = splitConstants(withoutUnfilled(injected(recipe), values));
    const source = this.tokenSource(recipe, options.account, values);
    const signIn = { inject, values, source };
    const send = injecting(own, signIn, constants, options.fetch ?? runtimeFetch);
    const timeout = checkTimeout(options.timeout ?? this.connection.timeout);
    return new AuthenticatedClient(baseUrl, send, timeout);
  }

  /**
   * Returns a service's token itself, for clients other than `fetch`.
   *
   * That is the one secret that the recipe injects, or the access token fetched with it.
   *
   * @param service - The service's name.
   * @throws {@link InvalidArgumentError} The service signs in with several secrets: use `bind`.
   * @throws {@link MissingSecretError} The secret is neither set up here, nor readable, nor in the environment.
   * @throws {@link TokenExchangeError} The token endpoint gave no token.
   *
   * @example
   * ```ts
   * const token = await client.auth.getToken("notion");
   * console.log(token.length); // 11
   * ```
   */
  async getToken(service: string, options: TokenOptions = {}): Promise<string> {
    const [recipe, values] = await this.prepare(service, options);
    const source = this.tokenSource(recipe, options.account, values);
    if (!source) return (values.get(tokenKey(recipe)) as Secret)();
    this.checkOrigins(recipe, renderBaseUrl(recipe.base_url, values), options.trustOrigin);
    return (await source.get(runtimeFetch)).access();
  }

  /** Returns a service's recipe and the plaintexts that it uses. */
  private async prepare(service: string, options: TokenOptions): Promise<[AuthRecipe, Values]> {
    const { account } = options;
    checkService(service);
    checkAccount(account);
    const recipe = await recipeOf(this.connection, service, options);
    checkPrimitive(recipe);
    const values = new Map<string, Secret>();
    const missing: string[] = [];
    for (const key of keysUsed(recipe)) {
      const value = await find(this.connection, credentialName(key, account), options);
      if (value) values.set(key, value);
      else if (!optionalKeys(recipe).includes(key)) missing.push(key);
    }
    if (missing.length) throw missingSecrets(service, account, missing);
    return [recipe, values];
  }

  /** Remembers where a service of the user's own sends its secrets, as seen at set-up. */
  private pin(recipe: AuthRecipe): void {
    const { service, base_url } = recipe;
    if (shippedOrigins.has(service) || service === OWN) return;
    const found = [base_url, endpointOf(recipe)].flatMap((url) => originOf(url ?? "") ?? []);
    this.connection.memory.pinned.set(
      service,
      found.filter((origin) => origin.startsWith("https:")),
    );
  }

  /** Returns the origin of a recipe's requests, if it and the token endpoint's are right. */
  private checkOrigins(recipe: AuthRecipe, baseUrl: string, trustOrigin?: string): string {
    const { service } = recipe;
    const { memory, origin } = this.connection;
    const trusted = checkTrusted(trustOrigin);
    const pinned =
      service === OWN ? [origin] : (shippedOrigins.get(service) ?? memory.pinned.get(service) ?? []);
    const own = checkOrigins(service, recipe.base_url, baseUrl, pinned, trusted);
    const endpoint = endpointOf(recipe);
    if (endpoint) checkOrigins(service, endpoint, endpoint, pinned, trusted);
    return own;
  }

  private tokenSource(
    recipe: AuthRecipe,
    account: string | undefined,
    values: Values,
  ): TokenSource | undefined {
    const endpoint = endpointOf(recipe);
    if (!endpoint) return undefined;
    const { connection } = this;
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
}

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
  return secretFromEnvironment(name);
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
  if (recipe.primitive === "service_account")
    readAccount(values.get(requiredKeys(recipe)[0] as string) as Secret);
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
