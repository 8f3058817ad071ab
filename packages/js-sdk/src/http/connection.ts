/** The connection to an engine: sends requests, retries them, reads the responses. */

import { checkHeaders, checkRetries, checkTimeout } from "../core/config.js";
import {
  APIConnectionError,
  APITimeoutError,
  ArcrunError,
  hide,
  InvalidArgumentError,
  UnexpectedResponseError,
} from "../core/errors.js";
import { originOf } from "../core/origins.js";
import { checkProxy } from "../core/proxies.js";
import { blankOut, type Secret } from "../core/secret.js";
import { objectOf, parsed, textsOf } from "../core/shapes.js";
import type { CallOptions, Health } from "../core/types.js";
import {
  cleanError,
  DeadlineExceeded,
  type Fetch,
  OWN_HEADERS,
  ownOptions,
  runtimeFetch,
  sleep,
  textOfBody,
  waitFor,
  withDeadline,
  withoutRetries,
} from "./fetch.js";
import type { Memory } from "./memory.js";
import { health, wholeList } from "./operations.js";
import { type ApiRequest, bodyOf, nameOf } from "./request.js";
import { type ApiResponse, readResponse } from "./response.js";
import { nextDelay } from "./retry.js";
import { apiKeyFor, type KeyPolicy, requireApiKey } from "./trust.js";

/** What a connection is made of. */
export interface ConnectionOptions extends Omit<KeyPolicy, "origin"> {
  fetch: Fetch;
  timeout: number;
  maxRetries: number;
  /** Sent with every request. */
  defaultHeaders: Record<string, string>;
  /** Called with a line about each request: no secret, no header, no body, no query. */
  log: ((line: string) => void) | undefined;
  /** The longest response that is read, in bytes after decompression. */
  maxResponseBytes: number;
  memory: Memory;
  /** Called with each response that a result is read from, and the number of attempts. */
  onResponse?: (response: ApiResponse, attempts: number) => void;
}

/** The body of a response that is read as it comes. */
export interface EventStream {
  /** Returns what comes next, or undefined at the end; throws if nothing comes in time, or the connection is lost. */
  next(): Promise<Uint8Array | undefined>;
  /** Closes the connection. */
  close(): void;
}

/** One engine, one API key, and the options of requests to it. */
export interface Connection extends ConnectionOptions, KeyPolicy {
  /** Returns the API key; throws if there is none, or if it would go over plain http to another machine. */
  key(): Secret;
  /** Sends a request, retries it where that is safe, and returns its result. */
  send<T>(request: ApiRequest<T>, options?: CallOptions): Promise<T>;
  /** Opens a stream of events; sends the request again where that is safe. */
  open(request: ApiRequest<unknown>, options?: CallOptions): Promise<EventStream>;
  /** Gets a list to its end. */
  list<T>(request: Parameters<typeof wholeList<T>>[1], options?: CallOptions): Promise<T[]>;
  /**
   * Tells whether the engine has a capability (docs/contract.md#capabilities); undefined if it has no list of them, or
   * does not answer. Asks once.
   */
  has(capability: string, options?: CallOptions): Promise<boolean | undefined>;
}

/**
 * Throws if an engine has no capability that a call needs; one that does not say what it can do is not refused.
 *
 * @param what - What the engine has not got, in words.
 */
export async function requireCapability(
  connection: Connection,
  capability: string,
  what: string,
  options: CallOptions = {},
): Promise<void> {
  checkRetries(options.maxRetries ?? connection.maxRetries); // before the engine is asked what it can do
  if ((await connection.has(capability, options)) === false)
    throw new InvalidArgumentError(`this engine has no ${what} (it lists no ${capability})`);
}

/** Makes a connection. Nothing is sent yet. */
export function connect(options: ConnectionOptions): Connection {
  const { memory, onResponse, log } = options;
  const { apiKey, baseUrl } = options.settings;
  const policy = { ...options, origin: originOf(baseUrl) as string };

  const outcomeOf = async (
    request: ApiRequest<unknown>,
    {
      timeout = options.timeout,
      signal,
      maxRetries = options.maxRetries,
      extraHeaders = {},
    }: CallOptions = {},
  ): Promise<[ApiResponse, number]> => {
    checkRetries(maxRetries);
    const body = bodyOf(request);
    const key = apiKeyFor(request.key ?? "required", policy);
    const headers: Record<string, string> = {
      accept: "application/json",
      ...OWN_HEADERS,
      ...options.defaultHeaders,
      ...checkHeaders(extraHeaders, "extraHeaders"),
      ...(body && { "content-type": "application/json" }),
      ...request.headers,
      ...(key && { "x-arcrun-api-key": key() }),
    };
    const init: RequestInit = {
      ...ownOptions(),
      method: request.method,
      headers,
      redirect: "manual",
      ...(body && { body }),
      ...((request.retryable === false || request.resultIfGone !== undefined) && withoutRetries()),
    };
    const secrets = [...(request.secrets ?? []), ...(apiKey ? [apiKey] : [])];
    const url = baseUrl + request.path;
    if (options.fetch === runtimeFetch && key) checkProxy(policy.origin);
    for (let attempt = 0; ; attempt++) {
      const outcome = await sendOnce(options, request, url, init, checkTimeout(timeout), signal, secrets);
      const ended = "status" in outcome ? `HTTP ${outcome.status}` : outcome.name;
      log?.(`arcrun: ${request.method} ${url.split("?")[0]}, attempt ${attempt + 1}: ${ended}`);
      const delay = nextDelay(request, outcome, attempt, maxRetries);
      if (delay === undefined) {
        if (outcome instanceof APIConnectionError) throw outcome;
        return [outcome, attempt];
      }
      await sleep(delay, signal);
    }
  };

  const send = async <T>(request: ApiRequest<T>, callOptions?: CallOptions): Promise<T> => {
    const [response, attempt] = await outcomeOf(request, callOptions);
    onResponse?.(response, attempt + 1);
    return readResponse(request, response, attempt);
  };

  const open = async (request: ApiRequest<unknown>, callOptions: CallOptions = {}): Promise<EventStream> => {
    const [response, attempt] = await outcomeOf(request, callOptions);
    const { stream, url } = response;
    if (!stream) {
      readResponse(request, response, attempt);
      throw new UnexpectedResponseError(
        `${nameOf(request)}: the response is no stream of events; is the base URL an arcrun engine?`,
      );
    }
    const { timeout = options.timeout, signal } = callOptions;
    return {
      next: async () => {
        try {
          const part = await waitFor(stream.read(), signal, timeout);
          if (part) return part.value;
        } catch (error) {
          if (signal?.aborted) throw error;
          throw connectionError(request, url, error, (text) => blankOut(text, apiKey ? [apiKey] : []));
        }
        throw timeoutError(request, url, timeout);
      },
      close: () => void stream.cancel().catch(() => undefined),
    };
  };

  return {
    ...policy,
    key: () => requireApiKey(policy),
    send,
    open,
    list: (request, callOptions) => wholeList((page) => send(page, callOptions), request),
    has: async (capability, callOptions) => {
      try {
        memory.capabilities ??= capabilitiesOf(await send(health(), { ...callOptions, maxRetries: 0 }));
      } catch (error) {
        if (!(error instanceof ArcrunError)) throw error;
      }
      return memory.capabilities && memory.capabilities !== "unknown" // after an error, asked again next time
        ? memory.capabilities.includes(capability)
        : undefined;
    },
  };
}

/** Returns what an engine can do: nothing, if its list is empty; "unknown" for one that has no list. */
export const capabilitiesOf = ({ capabilities }: Health): readonly string[] | "unknown" =>
  Array.isArray(capabilities) ? textsOf(capabilities) : "unknown";

/** Sends a request once. Secrets are blanked out of error responses and of error messages. */
async function sendOnce(
  { fetch, maxResponseBytes }: ConnectionOptions,
  request: { call: string; streams?: boolean },
  url: string,
  init: RequestInit,
  timeout: number,
  signal: AbortSignal | undefined,
  secrets: Secret[],
): Promise<ApiResponse | APIConnectionError> {
  const clean = (text: string): string => blankOut(text, secrets);
  // Without the escapes that JSON need not have: each may hide a secret's character.
  const cleanBody = (text: string): string => {
    const plain = text.includes("\\") ? JSON.stringify(parsed(text)) : undefined;
    return plain && clean(plain) !== plain ? clean(plain) : clean(text);
  };
  try {
    return await withDeadline(timeout, signal, async (signal) => {
      const response = await fetch(url, { ...init, signal });
      const { status } = response;
      const headers = new Headers(response.headers);
      const requestId = headers.get("x-request-id");
      if (status >= 300 && requestId) headers.set("x-request-id", clean(requestId));
      if (request.streams && status === 200 && isEventStream(headers)) {
        const stream = response.body?.getReader?.();
        if (stream) return { status, headers, text: "", url, json: undefined, stream };
      }
      const body = await textOfBody(response, maxResponseBytes, ": raise the option maxResponseBytes");
      const text = status < 400 ? body : cleanBody(body);
      return { status, headers, text, url, json: objectOf(parsed(text)) };
    });
  } catch (error) {
    if (signal?.aborted || error instanceof ArcrunError) throw error;
    if (error instanceof DeadlineExceeded) return timeoutError(request, url, timeout);
    return connectionError(request, url, error, clean);
  }
}

const isEventStream = (headers: Headers): boolean =>
  /^text\/event-stream\s*(;|$)/i.test(headers.get("content-type") ?? "");

const timeoutError = (request: { call: string }, url: string, timeout: number): APITimeoutError =>
  new APITimeoutError(`${nameOf(request)}: ${originOf(url)} did not respond within ${timeout} s`);

/** Returns the error for a request that got no response, or only a part of one. */
function connectionError(
  request: { call: string },
  url: string,
  error: unknown,
  clean: (text: string) => string,
): APIConnectionError {
  const cause = cleanError(error, clean);
  const reason = [cause, (cause as { cause?: Error }).cause].map((error) => error?.message).filter(Boolean);
  const failure = new APIConnectionError(
    `${nameOf(request)}: ${originOf(url)} could not be reached, or closed the connection (${reason.join(": ")})`,
  );
  hide(failure, { cause });
  return failure;
}
