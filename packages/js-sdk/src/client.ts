/** The client of an engine. */

import { Auth } from "./auth/auth.js";
import { Creds } from "./auth/creds.js";
import { Components } from "./components/components.js";
import {
  checkBaseUrl,
  checkFetch,
  checkFlag,
  checkHeaders,
  checkKey,
  checkLimit,
  checkRetries,
  checkTimeout,
  MAX_RESPONSE_BYTES,
  MAX_RETRIES,
  resolve,
  type Settings,
  type SettingsOptions,
  TIMEOUT,
} from "./core/config.js";
import { variable } from "./core/environment.js";
import { ConfigurationError, InvalidArgumentError } from "./core/errors.js";
import { checkNames, checkOptions } from "./core/options.js";
import type { CallOptions, Health } from "./core/types.js";
import { type Connection, capabilitiesOf, connect } from "./http/connection.js";
import { type Fetch, runtimeFetch } from "./http/fetch.js";
import { emptyMemory } from "./http/memory.js";
import { health } from "./http/operations.js";
import type { ApiResponse } from "./http/response.js";
import { Recipes } from "./stored/recipes.js";
import { Runs } from "./workflows/runs.js";
import { Workflows } from "./workflows/workflows.js";

const OPTIONS =
  "apiKey baseUrl credentialFormat timeout maxRetries defaultHeaders maxResponseBytes allowInsecureHttp fetch";

/** The options of `new Arcrun`. */
export interface ArcrunOptions extends SettingsOptions {
  /** Seconds (not milliseconds) for each attempt of a call; 60 by default. */
  timeout?: number | undefined;
  /** How often a request is retried after a fault, where that is safe; 2 by default. */
  maxRetries?: number | undefined;
  /** Sent with every request to the engine. */
  defaultHeaders?: Record<string, string> | undefined;
  /**
   * The longest response of the engine that is read, in bytes after decompression; 64 MiB by default. It does not limit
   * the responses of bound clients, which you read yourself.
   */
  maxResponseBytes?: number | undefined;
  /** Whether the API key may be sent over plain http to other machines. */
  allowInsecureHttp?: boolean | undefined;
  /** Your own `fetch` for requests to the engine. Bound clients take theirs in `auth.bind`. */
  fetch?: Fetch | undefined;
}

const CHANGEABLE = "apiKey baseUrl timeout maxRetries defaultHeaders";

/** The options of `client.withOptions`. */
export type ClientOptions = Pick<
  ArcrunOptions,
  "apiKey" | "baseUrl" | "timeout" | "maxRetries" | "defaultHeaders"
>;

/** The options of `client.request`. */
export interface RequestOptions extends CallOptions {
  /** Sent as JSON. */
  body?: object | undefined;
}

/** The response that came, next to what the method makes of it (see `withRawResponse`). */
export interface RawResponse<T> {
  /** What the method returns. */
  result: T;
  /** The HTTP status. */
  status: number;
  headers: Headers;
  /** The body. */
  content: string;
  /** How many requests the SDK sent until this response came. */
  attempts: number;
  /** The response's `X-Request-Id`. */
  requestId: string | null;
}

/**
 * A client of an arcrun engine.
 *
 * @example
 * ```ts
 * const client = new Arcrun();
 * const health = await client.health();
 * console.log(health.ok); // true
 * ```
 */
export class Arcrun {
  /** Signs in to services: `listServices`, `setup`, `bind`, `getToken`. */
  readonly auth: Auth;
  /** Credentials: `push`, `list`, `delete`. */
  readonly creds: Creds;
  /** Workflows: `push`, `list`, `get`, `delete`, `run`, `executions`, `resume`. */
  readonly workflows: Workflows;
  /** Runs that the engine has accepted: `get`, `list`, `cancel`, `retry`. */
  readonly runs: Runs;
  /** Prompt recipes: `push`, `list`, `get`, `delete`, `render`, `test`, `label`, `unlabel`, `versions`, `diff`. */
  readonly recipes: Recipes;
  /** The catalog of components: `list`, `get`, `search`. */
  readonly components: Components;
  private readonly connection: Connection;

  /**
   * Makes a client. Nothing is sent yet.
   *
   * @throws {@link ConfigurationError} A setting is malformed; the message says where it came from.
   */
  constructor(options?: ArcrunOptions);
  /** @internal */
  constructor(options: ArcrunOptions, connection: Connection);
  constructor(options: ArcrunOptions = {}, existing?: Connection) {
    checkNames(options, "new Arcrun", OPTIONS, ConfigurationError);
    const connection =
      existing ??
      connect({
        settings: resolve(options),
        fetch: checkFetch(options.fetch ?? runtimeFetch),
        timeout: checkTimeout(options.timeout ?? TIMEOUT),
        maxRetries: checkRetries(options.maxRetries ?? MAX_RETRIES),
        defaultHeaders: checkHeaders(options.defaultHeaders ?? {}, "defaultHeaders"),
        log: variable("ARCRUN_LOG") === "debug" ? (line) => console.warn(line) : undefined,
        maxResponseBytes: checkLimit(options.maxResponseBytes ?? MAX_RESPONSE_BYTES),
        allowInsecureHttp: checkFlag("allowInsecureHttp", options.allowInsecureHttp ?? false),
        memory: emptyMemory(),
      });
    this.connection = connection;
    this.creds = new Creds(connection);
    this.auth = new Auth(connection);
    this.workflows = new Workflows(connection);
    this.runs = new Runs(connection);
    this.recipes = new Recipes(connection);
    this.components = new Components(connection);
  }

  /**
   * Gets the engine's health. Needs no API key.
   *
   * @throws {@link APIConnectionError} The engine could not be reached.
   *
   * @example
   * ```ts
   * const health = await client.health();
   * console.log(health.ok); // true
   * ```
   */
  async health(options?: CallOptions): Promise<Health> {
    const found = await this.connection.send(health(), checkOptions(options, "client.health"));
    this.connection.memory.capabilities = capabilitiesOf(found);
    return found;
  }

  /**
   * Returns a client with other options.
   *
   * It shares its memory with this one, unless the key or the engine is another.
   *
   * @example
   * ```ts
   * const patient = client.withOptions({ timeout: 300, maxRetries: 5 });
   * console.log((await patient.health()).ok); // true
   * ```
   */
  withOptions(options: ClientOptions): Arcrun {
    const own = this.connection;
    checkNames(options, "client.withOptions", CHANGEABLE, ConfigurationError);
    const settings = { ...own.settings, ...changed(options) };
    const isSame =
      settings.apiKey?.() === own.settings.apiKey?.() && settings.baseUrl === own.settings.baseUrl;
    return clientOver(
      connect({
        ...own,
        ...(!isSame && { settings, memory: emptyMemory() }),
        timeout: checkTimeout(options.timeout ?? own.timeout),
        maxRetries: checkRetries(options.maxRetries ?? own.maxRetries),
        defaultHeaders: {
          ...own.defaultHeaders,
          ...checkHeaders(options.defaultHeaders ?? {}, "defaultHeaders"),
        },
      }),
    );
  }

  /**
   * Sends a request to a route that no method has yet, and returns the JSON object of the response.
   *
   * @param method - It is retried unless it is POST or PATCH.
   * @param path - With its query, percent-encoded, such as `/runs?status=failed`.
   * @throws {@link APIStatusError} The engine responded with an error.
   *
   * @example
   * ```ts
   * const contract = await client.request("GET", "/openapi.json");
   * console.log(contract.info.title.includes("arcrun")); // true
   * ```
   */
  // biome-ignore lint/suspicious/noExplicitAny: the route decides what it returns
  async request<T extends object = Record<string, any>>(
    method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE",
    path: string,
    options: RequestOptions = {},
  ): Promise<T> {
    checkOptions(options, "client.request", "body");
    const isKnown = /^(GET|POST|PUT|PATCH|DELETE)$/.test(method);
    if (!isKnown || !/^\/(?![/\\])[!"$-~]*$/.test(path))
      throw new InvalidArgumentError(
        'client.request() takes GET, POST, PUT, PATCH or DELETE, and a path with its query, percent-encoded, such as "/runs?a=b"',
      );
    return this.connection.send(
      {
        call: "request",
        method,
        path,
        key: this.connection.settings.apiKey ? "required" : "none",
        retryable: !/^P(OST|ATCH)$/.test(method),
        ...(options.body && { body: options.body }),
        read: (content) => content as T,
      },
      options,
    );
  }

  /**
   * Calls a method and returns the response that came, next to the method's usual result.
   *
   * @param call - Calls one method of the client that it is given.
   *
   * @example
   * ```ts
   * const raw = await client.withRawResponse((client) => client.creds.list());
   * console.log(raw.status, raw.result); // 200 []
   * ```
   */
  async withRawResponse<T>(call: (client: Arcrun) => Promise<T>): Promise<RawResponse<T>> {
    let last: [ApiResponse, number] | undefined;
    const onResponse = (...received: [ApiResponse, number]): void => {
      last = received;
    };
    const result = await call(clientOver(connect({ ...this.connection, onResponse })));
    if (!last)
      throw new InvalidArgumentError("no request was sent: use the client that the function is given");
    const [{ status, headers, text }, attempts] = last;
    const requestId = headers.get("x-request-id");
    return { result, status, headers, content: text, attempts, requestId };
  }
}

/** Returns the settings that are given, checked; the environment has no part in it. */
function changed(options: SettingsOptions): Partial<Settings> {
  const { apiKey, baseUrl } = options;
  return {
    ...(apiKey !== undefined && { apiKey: checkKey(apiKey, "the option apiKey") }),
    ...(baseUrl !== undefined && { baseUrl: checkBaseUrl(baseUrl, "the option baseUrl") }),
  };
}

/** Makes a client of a connection. It stands outside the class, which the build would otherwise rename. */
const clientOver = (connection: Connection): Arcrun => new Arcrun({}, connection);
