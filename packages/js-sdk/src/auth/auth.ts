/** `client.auth`: services, set up once, then bound to a client that signs in every request. */

import { checkOptions } from "../core/options.js";
import type { Secrets, ServiceName } from "../core/services.js";
import type { AuthRecipe, CallOptions, SetupResult } from "../core/types.js";
import type { Connection } from "../http/connection.js";
import { listServices } from "../http/operations.js";
import { bind, getToken } from "./bind.js";
import type { AuthenticatedClient } from "./bound.js";
import type { BindOptions, SetupOptions, TokenOptions } from "./options.js";
import { setup } from "./setup.js";

const BINDING = "account trustOrigin trustRecipe";

/** `client.auth`: signs in to services, so that their secrets are handled once. */
export class Auth {
  /** @internal */
  constructor(private readonly connection: Connection) {}

  /**
   * Lists the services that have an auth recipe. Needs no API key.
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
    return this.connection.list(listServices(), checkOptions(options, "client.auth.listServices"));
  }

  /**
   * Stores a service's secrets, each as a credential under its key.
   *
   * @param service - The service's name.
   * @param secrets - Each of the recipe's `required_secrets`, by key.
   * @throws {@link UnknownServiceError} There is no recipe for the service.
   * @throws {@link InvalidArgumentError} A secret is missing, unknown, empty, or has characters that can't be sent
   *   where the recipe puts it; nothing was stored.
   * @throws {@link ArcrunError} Storing failed; `stored` names what was stored before. Call it again to complete it.
   *
   * @example
   * ```ts
   * const result = await client.auth.setup("notion", { notion_token: "ntn_example" });
   * console.log(result.stored); // [ 'notion_token' ]
   * ```
   */
  async setup<S extends string>(
    service: ServiceName<S>,
    secrets: Secrets<S>,
    options: SetupOptions = {},
  ): Promise<SetupResult> {
    checkOptions(options, "client.auth.setup", "account");
    return setup(this.connection, service, secrets, options);
  }

  /**
   * Returns a client of the service whose requests are signed in.
   *
   * The secrets are added to requests to the service's own origin only: the client, its responses and its
   * errors never hold them.
   *
   * @param service - The service's name.
   * @throws {@link UnknownServiceError} There is no recipe for the service.
   * @throws {@link MissingSecretError} A secret was not set up with this client, and is found neither at the engine nor in
   *   the environment.
   * @throws {@link RecipeOriginError} The recipe leads to an origin that is not known to be the service's.
   * @throws {@link RecipeChangedError} The recipe of a shipped service is not the known one.
   *
   * @example
   * ```ts
   * const notion = await client.auth.bind("notion");
   * console.log(notion.baseUrl); // https://api.notion.com/v1
   * ```
   */
  async bind<S extends string>(
    service: ServiceName<S>,
    options: BindOptions = {},
  ): Promise<AuthenticatedClient> {
    checkOptions(options, "client.auth.bind", `${BINDING} fetch`);
    return bind(this.connection, service, options);
  }

  /**
   * Returns a service's token itself, for clients other than `fetch`.
   *
   * That is the one secret that the recipe injects, or the access token fetched with it.
   *
   * @param service - The service's name.
   * @throws {@link InvalidArgumentError} The service signs in with several secrets: use `bind`.
   * @throws {@link MissingSecretError} The secret was not set up with this client, and is found neither at the engine nor
   *   in the environment.
   * @throws {@link RecipeChangedError} The recipe of a shipped service is not the known one.
   * @throws {@link TokenExchangeError} The token endpoint returned no access token.
   *
   * @example
   * ```ts
   * const token = await client.auth.getToken("notion");
   * console.log(token.length); // 11
   * ```
   */
  async getToken<S extends string>(service: ServiceName<S>, options: TokenOptions = {}): Promise<string> {
    checkOptions(options, "client.auth.getToken", BINDING);
    return getToken(this.connection, service, options);
  }
}
