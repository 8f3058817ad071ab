/** What `bind` returns: a client of a service that signs in its requests. */

import { checkTimeout } from "../core/config.js";
import { InvalidArgumentError } from "../core/errors.js";
import { toJson } from "../core/json.js";
import { withoutSlashes } from "../core/origins.js";
import type { Send } from "./transport.js";

/** What `fetch` takes, and some conveniences. */
export interface BoundRequestInit extends RequestInit {
  /** Added to the URL's query. */
  query?: Record<string, string> | URLSearchParams | undefined;
  /** Sent as the body, with its content type. */
  json?: unknown | undefined;
  /** Seconds in which the response's headers must arrive; left out, the client's own time-out. */
  timeout?: number | undefined;
}

/**
 * A client of one service. Its requests carry the service's secrets, to the service's own origin only; the client,
 * its responses and its errors never hold them.
 *
 * Redirects are not followed unless you pass `redirect: "follow"`; in browsers, which hide them, they are errors.
 *
 * @example
 * ```ts
 * const notion = await client.auth.bind("notion");
 * const response = await notion.get("/users", { query: { page_size: "10" } });
 * console.log(response.status); // 200
 * ```
 */
export class AuthenticatedClient {
  /** @internal */
  constructor(
    /** The service's base URL, which relative URLs are appended to. */
    readonly baseUrl: string,
    private readonly send: Send,
    private readonly timeout: number,
  ) {}

  /** Sends a GET request. */
  get(url: string | URL, init?: BoundRequestInit): Promise<Response> {
    return this.request("GET", url, init);
  }

  /** Sends a POST request. */
  post(url: string | URL, init?: BoundRequestInit): Promise<Response> {
    return this.request("POST", url, init);
  }

  /** Sends a PUT request. */
  put(url: string | URL, init?: BoundRequestInit): Promise<Response> {
    return this.request("PUT", url, init);
  }

  /** Sends a PATCH request. */
  patch(url: string | URL, init?: BoundRequestInit): Promise<Response> {
    return this.request("PATCH", url, init);
  }

  /** Sends a DELETE request. */
  delete(url: string | URL, init?: BoundRequestInit): Promise<Response> {
    return this.request("DELETE", url, init);
  }

  /**
   * Sends a request.
   *
   * @param method - The HTTP method.
   * @param url - Relative to `baseUrl`, or absolute: another origin gets no secrets.
   * @param init - What `fetch` takes, and `query`, `json`, `timeout`.
   * @throws {@link InvalidArgumentError} The URL, or what goes into `json`, is not valid; nothing was sent.
   * @throws TypeError - As `fetch` does, when there is no response; a `DOMException` on abort and time-out.
   */
  request(method: string, url: string | URL, init: BoundRequestInit = {}): Promise<Response> {
    return this.fetch(url, { ...init, method });
  }

  /** Does what the global `fetch` does, signed in. It is a property, so that it can be passed to other libraries. */
  readonly fetch = async (input: string | URL | Request, init: BoundRequestInit = {}): Promise<Response> => {
    // Not by `instanceof`: it may come from another realm, or be a polyfill's.
    const given = typeof input === "object" && "method" in input ? input : undefined;
    const {
      query,
      json,
      timeout = this.timeout,
      ...rest
    } = {
      ...(given && (await fromRequest(given))),
      ...init,
    };
    const url = this.resolve(given?.url ?? String(input));
    if (query) for (const [name, value] of new URLSearchParams(query)) url.searchParams.append(name, value);
    if (json !== undefined) {
      const headers = new Headers(rest.headers);
      if (!headers.has("content-type")) headers.set("content-type", "application/json");
      Object.assign(rest, { headers, body: toJson(json, "the option json") });
    }
    return this.send(url, rest, checkTimeout(timeout));
  };

  private resolve(url: string): URL {
    if (/^[a-z][a-z0-9+.-]*:/i.test(url)) return parse(url);
    const base = withoutSlashes(this.baseUrl);
    return parse(!url || url[0] === "?" ? base + url : `${base}/${url.replace(/^\/+/, "")}`);
  }
}

function parse(url: string): URL {
  try {
    return new URL(url);
  } catch {
    throw new InvalidArgumentError(`'${url}' is not a URL: pass a path such as "/users", or a whole address`);
  }
}

/**
 * Returns the parts of a request, without its `redirect`: `follow` is the default there, and may not be intended.
 *
 * The body is read to its end: a request holds a stream, which could not be sent again with a new access token.
 */
async function fromRequest(request: Request): Promise<RequestInit> {
  const { method, headers, signal } = request;
  // By its method: some browsers have no `body` here.
  const body = /^(GET|HEAD)$/i.test(method) ? undefined : await request.arrayBuffer();
  return { method, headers, signal, ...(body?.byteLength && { body }) };
}
