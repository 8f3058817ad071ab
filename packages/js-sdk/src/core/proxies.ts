/** Proxies of the runtime, which could read what is sent over plain http. */

import { variable } from "./environment.js";
import { InsecureTransportError } from "./errors.js";
import { isSecure } from "./origins.js";

/**
 * Throws if a runtime would send what goes to an `http:` address on this machine to a proxy, where it can be read.
 *
 * Bun and Deno take proxies from the environment, and so does Node.js if it is told to; no runtime lets a request
 * leave them out. What goes to other machines over plain http is refused elsewhere.
 */
export function checkProxy(origin: string): void {
  const { Bun, Deno } = globalThis as { Bun?: unknown; Deno?: unknown };
  if (!origin.startsWith("http:") || !isSecure(origin)) return;
  if (!Bun && !Deno && !variable("NODE_USE_ENV_PROXY")) return;
  const name = ["http_proxy", "HTTP_PROXY", ...(Deno ? ["all_proxy", "ALL_PROXY"] : [])].find(variable);
  if (!name || isExempt(origin)) return;
  const { hostname } = new URL(origin);
  const usual = ["localhost", "127.0.0.1"];
  const names = usual.includes(hostname) ? usual : [...usual, hostname];
  throw new InsecureTransportError(
    `what is sent to ${origin} would go to the proxy in the variable ${name}, where it can be read: put ${names.join(",")} into the variable NO_PROXY`,
  );
}

/** Tells whether `NO_PROXY` names an origin's host, one of its parent domains, or everything. */
function isExempt(origin: string): boolean {
  const { hostname, host } = new URL(origin);
  const names = (variable("no_proxy") ?? variable("NO_PROXY") ?? "").toLowerCase().split(/[\s,]+/);
  return names.some((name) => {
    const bare = name.replace(/^\*?\./, "");
    return name === "*" || (bare && [hostname, host].some((own) => own === bare || own.endsWith(`.${bare}`)));
  });
}
