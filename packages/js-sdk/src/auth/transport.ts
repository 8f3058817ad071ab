/** Below a bound client: secrets go into a copy of each request, on the way to the service's own origin only. */

import { UnexpectedResponseError } from "../core/errors.js";
import { type Fetch, OWN_HEADERS, stripped, unlessAborted } from "../http/fetch.js";
import type { AccessToken, TokenSource } from "../http/memory.js";
import type { Values } from "../recipes/placeholders.js";
import type { Inject } from "../recipes/recipe.js";
import { mayReceiveSecrets } from "../recipes/trust.js";
import { type Injection, injection } from "./injection.js";

/** What a bound client signs in with. */
export interface SignIn {
  inject: Inject;
  values: Values;
  source: TokenSource | undefined;
}

/** Sends a request to an absolute URL. */
export type Send = (url: URL, init: RequestInit, timeout: number) => Promise<Response>;

const REPEATING = ["location", "content-location", "link", "refresh"];
const MAX_REDIRECTS = 20;

/**
 * Makes what sends a bound client's requests.
 *
 * @param allowed - The origin that the secrets go to, as `checkOrigins` returned it.
 * @param defaults - Headers without secrets, unless the request has its own.
 * @param carry - What carries the requests after the secrets were put in.
 */
export function injecting(
  allowed: string,
  { inject, values, source }: SignIn,
  defaults: Record<string, string>,
  carry: Fetch,
): Send {
  let rendered: [AccessToken | undefined, Injection] | undefined;
  const injectionFor = (token: AccessToken | undefined): Injection => {
    if (!rendered || rendered[0] !== token) rendered = [token, injection(inject, values, token?.access)];
    return rendered[1];
  };
  if (!source) injectionFor(undefined); // so that a secret that doesn't fit is refused by bind

  const signed = async (url: URL, init: RequestInit, headers: Headers, token?: AccessToken) => {
    const used = injectionFor(token);
    let { body } = init;
    if (used.inBody) {
      const given = new Response(body ?? null);
      const type = headers.get("content-type") ?? given.headers.get("content-type") ?? "";
      const changed = used.content(init.method ?? "GET", type, await given.text());
      if (changed) {
        headers.set("content-type", changed[0]);
        body = changed[1];
      }
    }
    used.sign(headers);
    try {
      const sent = { ...init, headers, redirect: "manual" as const, ...(body && { body }) };
      return scrubbed(await carry(used.target(url), sent), url, used.clean);
    } catch (error) {
      throw init.signal?.aborted ? init.signal.reason : stripped(error, used.clean);
    }
  };

  const once = async (url: URL, init: RequestInit): Promise<Response> => {
    const headers = new Headers(init.headers);
    for (const [name, value] of Object.entries({ Accept: "*/*", ...OWN_HEADERS, ...defaults }))
      if (!headers.has(name)) headers.set(name, value);
    if (!mayReceiveSecrets(url, allowed)) return carry(url.href, { ...init, headers, redirect: "manual" });
    const token = source && (await unlessAborted(source.get(carry), init.signal));
    const response = await signed(url, init, new Headers(headers), token);
    if (response.status !== 401 || !token || init.body instanceof ReadableStream) return response;
    await response.body?.cancel();
    const other = await unlessAborted((source as TokenSource).get(carry, token), init.signal);
    return signed(url, init, headers, other);
  };

  const following = async (url: URL, init: RequestInit): Promise<Response> => {
    for (let hops = 0; ; hops++) {
      const response = await once(url, init);
      const { status, type } = response;
      const location = /^30[12378]$/.test(String(status)) && response.headers.get("location");
      if (type === "opaqueredirect")
        throw new UnexpectedResponseError(
          `${url.href} answered with a redirect, which browsers hide: ask for the address it leads to`,
        );
      if (!location || init.redirect !== "follow") {
        if (location && init.redirect === "error")
          throw new UnexpectedResponseError(`${url.href} answered with a redirect to ${location}`);
        if (hops) Object.defineProperty(response, "redirected", { value: true });
        return response;
      }
      const next = new URL(location, url);
      if (hops === MAX_REDIRECTS || !/^https?:$/.test(next.protocol))
        throw new UnexpectedResponseError(
          `${url.href} redirects to ${next.href}: too often, or not over http`,
        );
      await response.body?.cancel();
      init = redirected(init, status, next.origin === url.origin);
      url = next;
    }
  };

  return async (url, init, timeout) => {
    const late = new AbortController();
    const timer = setTimeout(
      () => late.abort(new DOMException(`no answer within ${timeout} s`, "TimeoutError")),
      timeout * 1000,
    );
    try {
      return await following(url, { ...init, signal: either(late, init.signal) });
    } finally {
      clearTimeout(timer); // a body may take longer, as a stream of events does
    }
  };
}

/** Joins the user's signal with ours. It stays in force while the body is read. */
function either(own: AbortController, other: AbortSignal | null | undefined): AbortSignal {
  if (!other) return own.signal;
  if (AbortSignal.any) return AbortSignal.any([own.signal, other]);
  const abort = (): void => own.abort(other.reason); // Node 18
  if (other.aborted) abort();
  else other.addEventListener("abort", abort, { once: true });
  return own.signal;
}

/** Returns what is sent on after a redirect, as `fetch` itself would. */
function redirected(init: RequestInit, status: number, sameOrigin: boolean): RequestInit {
  const { method = "GET" } = init;
  const headers = new Headers(init.headers);
  if (!sameOrigin)
    for (const name of ["authorization", "cookie", "proxy-authorization"]) headers.delete(name);
  if (status > 303 || /^(GET|HEAD)$/i.test(method) || (status < 303 && !/^POST$/i.test(method)))
    return { ...init, headers };
  for (const name of ["content-type", "content-length"]) headers.delete(name);
  return { ...init, headers, method: "GET", body: null };
}

/** Copies a response: its URL is the one that the user wrote, and no header repeats a secret. */
function scrubbed(response: Response, url: URL, clean: (text: string) => string): Response {
  if (response.type === "opaqueredirect") return response; // says nothing but that
  const headers = new Headers(response.headers);
  for (const name of REPEATING) {
    const value = headers.get(name);
    if (value) headers.set(name, clean(value));
  }
  const { status, statusText } = response;
  const body = [204, 205, 304].includes(status) ? null : response.body;
  const copy = new Response(body, { status, statusText, headers });
  return Object.defineProperty(copy, "url", { value: url.href });
}
