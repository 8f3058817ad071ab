/** Sends the requests of a bound client: adds the secrets to a copy of each that goes to the service's own origin. */

import { InvalidArgumentError, UnexpectedResponseError } from "../core/errors.js";
import { cleanError, type Fetch, OWN_HEADERS, onAbort } from "../http/fetch.js";
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

/** Response headers that may repeat a URL, and with it a secret. */
const URL_HEADERS = ["location", "content-location", "link", "refresh"];
const MAX_REDIRECTS = 20;

/**
 * Returns the function that sends a bound client's requests.
 *
 * @param allowed - The origin that the secrets go to, as `checkOrigins` returned it.
 * @param defaults - Headers without secrets, which a request may override.
 * @param fetch - Sends the requests, with the secrets in them.
 */
export function injectingSend(
  allowed: string,
  { inject, values, source }: SignIn,
  defaults: Record<string, string>,
  fetch: Fetch,
): Send {
  let rendered: [AccessToken | undefined, Injection] | undefined;
  const injectionFor = (token: AccessToken | undefined): Injection => {
    if (!rendered || rendered[0] !== token) rendered = [token, injection(inject, values, token?.access)];
    return rendered[1];
  };
  if (!source) injectionFor(undefined); // so that `bind` refuses a secret that can't be sent

  const sendSigned = async (url: URL, init: RequestInit, headers: Headers, token?: AccessToken) => {
    const injected = injectionFor(token);
    let { body } = init;
    if (injected.inBody) {
      const given = new Response(body ?? null);
      const type = headers.get("content-type") ?? given.headers.get("content-type") ?? "";
      const changed = injected.content(init.method ?? "GET", type, await given.text());
      if (changed) {
        headers.set("content-type", changed[0]);
        body = changed[1];
      }
    }
    injected.setHeaders(headers);
    try {
      const signed = { ...init, headers, redirect: "manual" as const, ...(body && { body }) };
      return await cleanResponse(await fetch(injected.target(url), signed), url, injected.withoutSecrets);
    } catch (error) {
      throw init.signal?.aborted ? init.signal.reason : cleanError(error, injected.withoutSecrets);
    }
  };

  const sendOnce = async (url: URL, init: RequestInit): Promise<Response> => {
    const headers = new Headers(init.headers);
    for (const [name, value] of Object.entries({ Accept: "*/*", ...OWN_HEADERS, ...defaults }))
      if (!headers.has(name)) headers.set(name, value);
    if (!mayReceiveSecrets(url, allowed)) return fetch(url.href, { ...init, headers, redirect: "manual" });
    const token = await source?.get(fetch, init.signal);
    const response = await sendSigned(url, init, new Headers(headers), token);
    if (response.status !== 401 || !token || !isReplayable(init.body)) return response;
    await response.body?.cancel();
    const renewed = await (source as TokenSource).get(fetch, init.signal, token);
    return sendSigned(url, init, headers, renewed);
  };

  // Redirects are followed here, not by `fetch`: each hop is a request that may, or may not, receive the secrets.
  const sendFollowing = async (url: URL, init: RequestInit): Promise<Response> => {
    for (let hops = 0; ; hops++) {
      const response = await sendOnce(url, init);
      const { status, type } = response;
      const location = /^30[12378]$/.test(String(status)) && response.headers.get("location");
      if (type === "opaqueredirect")
        throw new UnexpectedResponseError(
          `${url.href} returned a redirect, which browsers hide: request the address that it leads to`,
        );
      const next = location && init.redirect === "follow" ? targetOf(location, url) : undefined;
      const following = afterRedirect(init, status, next?.origin === url.origin);
      if (!next || !isReplayable(following.body)) {
        if (location && init.redirect === "error")
          throw new UnexpectedResponseError(`${url.href} returned a redirect to ${location}`);
        if (hops) Object.defineProperty(response, "redirected", { value: true });
        return response;
      }
      if (hops === MAX_REDIRECTS || !/^https?:$/.test(next.protocol))
        throw new UnexpectedResponseError(
          `${url.href} redirects to ${next.href}: there are too many redirects, or it is not http`,
        );
      await response.body?.cancel();
      init = following;
      url = next;
    }
  };

  const places = Object.keys(inject["path"] ?? {});
  return async (url, init, timeout) => {
    if (mayReceiveSecrets(url, allowed) && places.length && !places.some((name) => hasPlace(url, name)))
      throw new InvalidArgumentError(
        `this service takes its secret in the path, and '${url.href}' has no place for it: write {${places.join("} or {")}} where it goes`,
      );
    const deadline = new AbortController();
    const timer = setTimeout(
      () => deadline.abort(new DOMException(`no response within ${timeout} s`, "TimeoutError")),
      timeout * 1000,
    );
    try {
      return await sendFollowing(url, { ...init, signal: either(deadline, init.signal) });
    } finally {
      clearTimeout(timer); // a body may take longer, as a stream of events does
    }
  };
}

/** Returns the address that a redirect leads to. */
function targetOf(location: string, from: URL): URL {
  try {
    return new URL(location, from);
  } catch {
    throw new UnexpectedResponseError(`${from.href} redirects to '${location}', which is not a URL`);
  }
}

/** Tells whether a URL's path has a placeholder. */
const hasPlace = ({ pathname }: URL, name: string): boolean =>
  pathname.replace(/%7b/gi, "{").replace(/%7d/gi, "}").includes(`{${name}}`);

/** Joins the user's signal with ours. It stays in force while the body is read. */
function either(own: AbortController, other: AbortSignal | null | undefined): AbortSignal {
  if (!other) return own.signal;
  if (AbortSignal.any) return AbortSignal.any([own.signal, other]);
  const abort = (): void => own.abort(other.reason); // Node 18
  if (other.aborted) abort();
  onAbort(other, abort);
  return own.signal;
}

/**
 * Tells whether a body gives the same bytes each time that it is read.
 *
 * By its kind, not by `instanceof`: it may come from another realm. Anything that can be iterated asynchronously, such
 * as a stream, a generator or a form of a Node package, is empty when it is read again.
 */
const isReplayable = (body: unknown): boolean =>
  !body ||
  typeof body !== "object" ||
  (!(Symbol.asyncIterator in body) &&
    (ArrayBuffer.isView(body) ||
      /ArrayBuffer|URLSearchParams|Blob|File|FormData/.test(Object.prototype.toString.call(body))));

/** Returns what is sent after a redirect, as `fetch` itself would. */
function afterRedirect(init: RequestInit, status: number, sameOrigin: boolean): RequestInit {
  const { method = "GET" } = init;
  const headers = new Headers(init.headers);
  if (!sameOrigin)
    for (const name of ["authorization", "cookie", "proxy-authorization"]) headers.delete(name);
  if (status > 303 || /^(GET|HEAD)$/i.test(method) || (status < 303 && !/^POST$/i.test(method)))
    return { ...init, headers };
  for (const name of ["content-type", "content-length"]) headers.delete(name);
  return { ...init, headers, method: "GET", body: null };
}

/** Returns a copy of a response whose URL is the one that the user wrote, and whose headers repeat no secret. */
async function cleanResponse(
  response: Response,
  url: URL,
  withoutSecrets: (text: string) => string,
): Promise<Response> {
  if (response.type === "opaqueredirect") return response; // it has no URL and no headers
  const headers = new Headers(response.headers);
  for (const name of URL_HEADERS) {
    const value = headers.get(name);
    if (value) headers.set(name, withoutSecrets(value));
  }
  const { status, statusText } = response;
  // A `fetch` of the user's own may have no streams.
  const body = response.body === undefined ? await response.arrayBuffer() : response.body;
  const isUsual = status >= 200 && status < 600; // others can't be constructed, but some services return 999
  const copy = new Response([204, 205, 304].includes(status) ? null : body, {
    status: isUsual ? status : 200,
    statusText,
    headers,
  });
  return dressed(copy, url.href, isUsual ? {} : { status: { value: status }, ok: { value: false } });
}

/** Gives a response, and each clone of it, the properties that can't be constructed. */
function dressed(response: Response, url: string, others: PropertyDescriptorMap): Response {
  const clone = (): Response => dressed(Response.prototype.clone.call(response), url, others);
  return Object.defineProperties(response, { url: { value: url }, clone: { value: clone }, ...others });
}
