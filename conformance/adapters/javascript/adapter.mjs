/**
 * The conformance protocol (PROTOCOL.md) for `@arcrun/sdk`, shared by all JavaScript hosts.
 *
 * It uses nothing that only one runtime has. A host passes the SDK and a description of its runtime, then lines.
 */

import { Clock } from "./clock.mjs";

// The positional arguments of each method; the others are passed as an object in the last argument.
const METHODS = {
  health: [],
  "auth.list_services": [],
  "auth.setup": ["service", "secrets"],
  "auth.bind": ["service"],
  "auth.get_token": ["service"],
  "creds.push": ["name", "value"],
  "creds.list": [],
  "creds.delete": ["name"],
  "workflows.push": ["name", "graph"],
  "workflows.list": [],
  "workflows.get": ["name"],
  "workflows.delete": ["name"],
  "workflows.run": ["name", "input"],
  "workflows.executions": ["name"],
  "workflows.resume": ["task_id", "data"],
  "runs.list": [],
  "runs.get": ["run_id"],
  "runs.events": ["run_id"],
  "runs.cancel": ["run_id"],
  "runs.retry": ["run_id"],
  "recipes.push": ["recipe"],
  "recipes.list": [],
  "recipes.get": ["name"],
  "recipes.delete": ["name"],
  "recipes.render": ["name", "inputs"],
  "recipes.test": ["name"],
  "recipes.backtest": ["name"],
  "recipes.label": ["name", "label", "version"],
  "recipes.unlabel": ["name", "label"],
  "recipes.versions": ["name"],
  "recipes.diff": ["name", "from_version", "to_version"],
  "components.list": [],
  "components.get": ["id"],
  "components.search": ["query"],
};

// Capabilities that a browser does not have.
const HTTP_CAPABILITIES = [
  "user_agent",
  "redirects",
  "single_requests",
  "raw_http",
  "streams",
  "redirected_streams",
];

// The SDK's error classes and their names in all languages.
const ERROR_NAMES = {
  SealedCredentialsUnsupportedError: "sealed_unsupported",
  UnknownServiceError: "unknown_service",
  APITimeoutError: "timeout",
  ConfigurationError: "configuration",
  InvalidArgumentError: "invalid_argument",
  InsecureTransportError: "insecure_transport",
  APIConnectionError: "connection",
  UnexpectedResponseError: "unexpected_response",
  MissingSecretError: "missing_secret",
  RecipeOriginError: "recipe_origin",
  RecipeChangedError: "recipe_changed",
  WorkflowPaused: "workflow_paused",
  TokenExchangeError: "token_exchange",
  WorkflowRunError: "workflow_run",
  BadRequestError: "bad_request",
  AuthenticationError: "authentication",
  PermissionDeniedError: "permission_denied",
  NotFoundError: "not_found",
  ConflictError: "conflict",
  RateLimitError: "rate_limit",
  ServerError: "server",
  APIStatusError: "status",
  ArcrunError: "arcrun",
};

// The attributes of errors that scenarios check.
const ERROR_ATTRIBUTES = [
  "requires",
  "details",
  "next_actions",
  "failed_node",
  "failed_input",
  "trace",
  "task_id",
  "missing",
  "body",
  "newest_version",
  "stored",
];

/**
 * Returns a function that carries out a command and returns the reply; both are lines.
 *
 * @param sdk - The module `@arcrun/sdk`.
 * @param {{name: string, browser?: boolean, environment?: Record<string, string | undefined>, inspect?: (value: unknown) => string, crypto?: Crypto}} runtime
 */
export function adapter(sdk, runtime) {
  const host = new Host(sdk, runtime);
  return async (line) => {
    const { id, command, ...body } = JSON.parse(line);
    const reply = (fields) => JSON.stringify({ id, ...fields, ...host.waited(), ...host.warned() });
    try {
      return reply({ result: await host[command.replace(".", "_")](body) });
    } catch (error) {
      if (error instanceof BoundConnectionError) return reply({ error: host.connectionError(error.cause) });
      if (error instanceof sdk.ArcrunError) return reply({ error: host.sdkError(error) });
      return reply({ failure: { message: String(error), detail: String(error?.stack) } });
    }
  };
}

class BoundConnectionError extends Error {
  constructor(cause) {
    super("", { cause });
  }
}

/** Returns the first events of a run. */
async function collected(events, most = Infinity) {
  const found = [];
  for await (const event of events) {
    found.push(event);
    if (found.length === most) break;
  }
  return found;
}

class Host {
  #sdk;
  #runtime;
  #clients = new Map();
  #bound = new Map();
  #replacedEnvironment = {};
  #clock;
  #warned = [];

  constructor(sdk, runtime) {
    this.#sdk = sdk;
    this.#runtime = runtime;
    this.#clock = new Clock(runtime.crypto);
    const { warn } = console;
    console.warn = (...values) => {
      this.#warned.push(values.map(String).join(" "));
      warn.apply(console, values);
    };
  }

  /** Returns the SDK and its capabilities, without methods that the SDK does not have. */
  start({ protocol }) {
    const client = new this.#sdk.Arcrun({ apiKey: `ak_${"0".repeat(48)}` });
    const has = (method) => typeof this.#method(client, method)[1] === "function";
    return {
      protocol,
      sdk: { name: "@arcrun/sdk", version: this.#sdk.version, language: "javascript" },
      runtime: this.#runtime.name,
      capabilities: [
        ...Object.keys(METHODS).filter(has),
        "sealing",
        "retries",
        "caching_fetch",
        "option_checks",
        "call_options",
        "copies",
        "own_client",
        "parallel",
        "clock",
        "cancellation",
        "warnings",
        ...(this.#runtime.environment ? ["environment"] : []),
        ...(globalThis.Deno || globalThis.Bun ? [] : ["direct_loopback"]),
        ...(globalThis.Deno || globalThis.Bun || !this.#runtime.environment ? [] : ["proxy_switch"]),
        ...(globalThis.navigator?.userAgent === "Cloudflare-Workers" ? [] : ["interim_responses"]),
        ...(this.#runtime.browser ? [] : HTTP_CAPABILITIES),
      ],
    };
  }

  /** Creates a client, with exactly the environment variables of the command. */
  construct({ client, options, environment = {}, from }) {
    if (from) {
      const copied = this.#clients.get(from).withOptions(camelCase(options));
      this.#discard(client);
      this.#clients.set(client, copied);
      return {};
    }
    this.#discard(client);
    this.#setEnvironment(this.#replacedEnvironment);
    const variables = this.#runtime.environment ?? {};
    const replaced = Object.keys(environment).map((name) => [name, variables[name] ?? null]);
    this.#replacedEnvironment = Object.fromEntries(replaced);
    this.#setEnvironment(environment);
    const { caching_fetch, own_client, ...given } = options;
    const settings = camelCase(given);
    if (caching_fetch) settings.fetch = cachingFetch();
    if (own_client) settings.fetch = ownFetch;
    this.#clients.set(client, new this.#sdk.Arcrun(settings));
    return {};
  }

  /** Forgets a client and what was bound through it; there is nothing to close. */
  #discard(client) {
    this.#clients.delete(client);
    for (const [name, bound] of this.#bound) if (bound.through === client) this.#bound.delete(name);
  }

  #setEnvironment(changes) {
    for (const [name, value] of Object.entries(changes)) {
      if (!this.#runtime.environment) throw new Error("this runtime has no environment variables");
      if (value === null) delete this.#runtime.environment[name];
      else this.#runtime.environment[name] = value;
    }
  }

  /** Starts or advances the clock that nobody waits for; without arguments, stops it. */
  clock({ start, advance }) {
    if (advance !== undefined) this.#clock.advance(advance);
    else if (start !== undefined) this.#clock.start(start);
    else this.#clock.stop();
    return {};
  }

  /** Returns how long the SDK waited, for the reply. */
  waited() {
    const waited = this.#clock.taken();
    return this.#clock.running ? { waited } : {};
  }

  /** Returns what was warned of, for the reply. */
  warned() {
    const warned = this.#warned.splice(0);
    return warned.length ? { warned } : {};
  }

  /** Calls a method; keeps the client that `auth.bind` returns under the name `bound`. */
  async call({ client, method, arguments: given, bound = "main", cancel_after }) {
    if (cancel_after !== undefined) {
      return this.#cancelled((signal) => this.call({ client, method, arguments: { ...given, signal } }), cancel_after);
    }
    const [target, called] = this.#method(this.#clients.get(client), method);
    const options = { ...given };
    const positional = METHODS[method].map((name) => {
      const value = options[name];
      delete options[name];
      return value;
    });
    if (method === "runs.events") {
      const { most, ...rest } = options;
      return collected(called.call(target, ...positional, camelCase(rest)), most);
    }
    const value = await called.call(target, ...positional, camelCase(options));
    if (method !== "auth.bind") return value;
    this.#bound.set(bound, { through: client, value });
    return { shown: this.#shown(value) };
  }

  /** Does something with a signal that is aborted after some seconds. */
  async #cancelled(begin, seconds) {
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(), seconds * 1000);
    try {
      return await begin(controller.signal);
    } catch (error) {
      const reason = controller.signal.reason;
      if (reason && (error === reason || error.cause === reason)) return { cancelled: true };
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  #method(client, method) {
    let target;
    let value = client;
    for (const part of method.split(".")) {
      target = value;
      value = value?.[part.replace(/_(.)/g, (_, letter) => letter.toUpperCase())];
    }
    return [target, value];
  }

  /** Sends a request through a bound client. */
  async bound_request({ bound, method, url, follow_redirects, stream, cancel_after, ...init }) {
    if (cancel_after !== undefined) {
      const command = { bound, method, url, follow_redirects, stream, ...init };
      return this.#cancelled((signal) => this.bound_request({ ...command, signal }), cancel_after);
    }
    const client = this.#bound.get(bound).value;
    if (stream) Object.assign(init, { body: readOnce(init.body), duplex: "half" });
    const redirect = follow_redirects ? { redirect: "follow" } : {};
    const response = await client.request(method, url, { ...init, ...redirect }).catch((error) => {
      if (error instanceof this.#sdk.ArcrunError) throw error;
      throw new BoundConnectionError(error); // the runtime's, as `fetch` rejects with it
    });
    const shown = [...this.#shown(response), ...this.#shown(response.headers), response.url];
    return {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: await response.text(),
      shown: [...shown, ...this.#shown(client)],
    };
  }

  /** Carries out a command several times at once. */
  async parallel({ times, of: { command, ...body } }) {
    const one = () => this[command.replace(".", "_")](body);
    const outcomes = await Promise.allSettled(Array.from({ length: times }, one));
    for (const { status, reason } of outcomes) if (status === "rejected") throw reason;
    return { results: outcomes.map(({ value }) => value) };
  }

  /** Forgets the scenario before: its clients, its environment variables, its clock. */
  reset() {
    this.#clock.stop();
    this.#setEnvironment(this.#replacedEnvironment);
    this.#replacedEnvironment = {};
    return this.stop();
  }

  stop() {
    this.#clients.clear();
    this.#bound.clear();
    return {};
  }

  /** Returns what the runtime's `fetch` rejected with, for a bound client, as an object of the protocol. */
  connectionError(error) {
    return { name: "connection", class: error.name, message: error.message, attributes: {}, shown: this.#shown(error) };
  }

  /** Returns a typed error as an object of the protocol. */
  sdkError(error) {
    let kind = error.constructor;
    while (!(kind.prototype.name in ERROR_NAMES)) kind = Object.getPrototypeOf(kind);
    const attributes = {};
    for (const name of ERROR_ATTRIBUTES) {
      const value = error[Object.keys(camelCase({ [name]: 0 }))[0]];
      if (value !== undefined) attributes[name] = value;
    }
    return {
      name: ERROR_NAMES[kind.prototype.name],
      class: error.name,
      message: error.message,
      status: error.status ?? null,
      code: error.code ?? null,
      request_id: error.requestId ?? null,
      attributes,
      printed: [String(error), JSON.stringify(error), String(error.stack)],
      shown: this.#shown(error),
    };
  }

  /** Returns what a careless log line would contain of a value. */
  #shown(value) {
    const shown = [String(value), String(value?.stack), String(value?.cause), JSON.stringify(value) ?? ""];
    if (this.#runtime.inspect) shown.push(this.#runtime.inspect(value));
    for (const name of Object.getOwnPropertyNames(value)) {
      // The body of an error response is an attribute on purpose; a log line does not contain it by itself.
      if (name !== "body") shown.push(`${name}: ${String(value[name])}`);
    }
    return shown;
  }
}

/** Returns a `fetch` that keeps responses to GET unless it is told not to, as that of Next.js does. */
function cachingFetch() {
  const kept = new Map();
  return async (input, init = {}) => {
    const request = new Request(input, init);
    const keeps = request.method === "GET" && init.cache !== "no-store";
    if (keeps && kept.has(request.url)) return kept.get(request.url).clone();
    const response = await fetch(input, init);
    if (keeps) kept.set(request.url, response.clone());
    return response;
  };
}

/** A `fetch` as a user may bring one, with defaults that are not the SDK's. */
const ownFetch = (input, init = {}) =>
  fetch(input, { ...init, headers: { "user-agent": "own-client/1.0", "x-own": "1", ...init.headers } });

/** Returns a body that can be read once. */
function readOnce(text) {
  return new ReadableStream({
    start(controller) {
      for (const piece of [text.slice(0, 1), text.slice(1)]) controller.enqueue(new TextEncoder().encode(piece));
      controller.close();
    },
  });
}

/** Returns options with their names in camel case; their values are not changed. */
function camelCase(options) {
  const renamed = Object.entries(options).map(([name, value]) => [
    name.replace(/_(.)/g, (_, letter) => letter.toUpperCase()),
    value,
  ]);
  return Object.fromEntries(renamed);
}
