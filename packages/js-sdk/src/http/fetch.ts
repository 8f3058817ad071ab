/** What the SDK needs around the runtime's `fetch`. */

import { ArcrunError, ConfigurationError, UnexpectedResponseError } from "../core/errors.js";
import { version } from "../version.js";

/** The type of the runtime's `fetch`. */
export type Fetch = typeof globalThis.fetch;

/** The runtime's `fetch`, looked up at each call, so that it can be replaced and keeps its `this`. */
export const runtimeFetch: Fetch = (input, init) => {
  if (globalThis.fetch) return globalThis.fetch(input, init);
  throw new ConfigurationError(
    "this runtime has no fetch: pass one, as new Arcrun({ fetch }) and client.auth.bind(service, { fetch })",
  );
};

// Browsers can't set it, or ask the server whether they may (CORS).
const inBrowser = /^Mozilla/.test(
  (globalThis as { navigator?: { userAgent?: string } }).navigator?.userAgent ?? "",
);

/** The headers of every request. */
export const OWN_HEADERS: Record<string, string> = inBrowser ? {} : { "user-agent": `arcrun-js/${version}` };

/**
 * Returns the options of every request of the SDK's own: frameworks such as Next.js keep responses as long as a year.
 *
 * Some runtimes refuse the option; they don't have it in their requests either. It is asked when a request is sent:
 * Node.js loads all of `fetch` for it.
 */
export const ownOptions = (): RequestInit =>
  typeof Request === "function" && "cache" in Request.prototype ? { cache: "no-store" } : {};

let unpooled: unknown;

/**
 * Returns options that keep a runtime from retrying a request by itself when a kept connection breaks, as Bun does
 * with a DELETE and Deno with any request. Browsers do so too, and have no option for it.
 */
export const withoutRetries = (): RequestInit => {
  const { Deno } = globalThis as { Deno?: { createHttpClient(options: object): object } };
  unpooled ??= Deno?.createHttpClient({ poolMaxIdlePerHost: 0 });
  return { keepalive: false, ...(unpooled ? { client: unpooled } : {}) };
};

/**
 * Returns a response's body as text; throws if it is too long, or a success that is not UTF-8.
 *
 * @param limit - In bytes, as they are after decompression: a few kilobytes may become a gigabyte.
 */
export async function textOfBody(response: Response, limit: number, hint: string): Promise<string> {
  const reader = response.body?.getReader?.();
  if (!reader) return response.text(); // a `fetch` of the user's own
  const decoder = new TextDecoder("utf-8", { fatal: response.ok });
  const decode = (...input: Parameters<TextDecoder["decode"]>): string => {
    try {
      return decoder.decode(...input);
    } catch {
      throw new UnexpectedResponseError("the response is not UTF-8");
    }
  };
  let text = "";
  for (let size = 0; ; ) {
    const { done, value } = await reader.read();
    if (done) return text + decode();
    size += value.length;
    if (size > limit) {
      reader.cancel().catch(() => undefined);
      throw new UnexpectedResponseError(`the response is longer than ${limit} bytes${hint}`);
    }
    text += decode(value, { stream: true });
  }
}

/** Thrown by `withDeadline`; never leaves the SDK. */
export class DeadlineExceeded extends Error {}

/**
 * Does some work with a signal that is aborted when it takes too long, or when the caller's signal is.
 *
 * @param seconds - How long it may take; then the promise is rejected with `DeadlineExceeded`.
 */
export async function withDeadline<T>(
  seconds: number,
  signal: AbortSignal | null | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const abort = (): void => controller.abort(signal?.reason);
  let late = false;
  if (signal?.aborted) throw signal.reason;
  const stop = onAbort(signal, abort);
  const timer = setTimeout(() => {
    late = true;
    controller.abort();
  }, seconds * 1000);
  try {
    // Not left to the work alone: Node.js 20 and 22 may never end the body of a response that is no gzip, though it is aborted.
    return (await waitFor(work(controller.signal), controller.signal)) as T;
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    throw late ? new DeadlineExceeded() : error;
  } finally {
    clearTimeout(timer);
    stop();
  }
}

/** Waits; rejects with the signal's reason as soon as that is aborted. */
export const sleep = (seconds: number, signal?: AbortSignal): Promise<unknown> =>
  waitFor(new Promise(() => undefined), signal, seconds);

/**
 * Waits for a promise; rejects with the signal's reason as soon as that is aborted.
 *
 * @param seconds - How long to wait at most; then the result is undefined. Left out, as long as it takes.
 */
export async function waitFor<T>(
  promise: Promise<T>,
  signal: AbortSignal | null | undefined,
  seconds?: number,
): Promise<T | undefined> {
  let timer: unknown;
  let stop = (): unknown => undefined;
  if (signal?.aborted) throw signal.reason;
  try {
    return await Promise.race([
      promise,
      new Promise<undefined>((resolve, reject) => {
        stop = onAbort(signal, () => reject(signal?.reason));
        if (seconds !== undefined) timer = setTimeout(resolve, seconds * 1000);
      }),
    ]);
  } finally {
    clearTimeout(timer as number);
    stop();
  }
}

const callbacks = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls back when a signal is aborted; returns a function that ends this.
 *
 * One listener serves all: runtimes warn of more than ten on one signal, which many calls may share.
 */
export function onAbort(signal: AbortSignal | null | undefined, callback: () => void): () => unknown {
  if (!signal) return () => undefined;
  const known = callbacks.get(signal);
  const waiting = known ?? new Set();
  if (!known) {
    callbacks.set(signal, waiting);
    signal.addEventListener("abort", () => {
      for (const call of waiting) call();
    });
  }
  waiting.add(callback);
  return () => waiting.delete(callback);
}

/**
 * Returns a copy of an error that holds nothing but the name, message and code of it and of its cause.
 *
 * @param clean - Takes secrets out of a text; some runtimes put the whole URL into their messages.
 */
export function cleanError(error: unknown, clean: (text: string) => string): Error {
  if (error instanceof ArcrunError) return error; // its text is the SDK's own
  const { name, message, code, cause } = error as Error & { code?: unknown; cause?: unknown };
  const copy = new TypeError(clean(String(message)));
  if (name && name !== copy.name) copy.name = clean(String(name));
  return Object.assign(
    copy,
    typeof code === "string" && { code },
    cause instanceof Error && { cause: cleanError(cause, clean) },
  );
}
