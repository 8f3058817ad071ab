/** Proxies of the runtime, which could read what is sent over plain http. */

import { rawVariable, variable } from "./environment.js";
import { InsecureTransportError } from "./errors.js";
import { isSecure } from "./origins.js";

interface Scope {
  Bun?: unknown;
  Deno?: unknown;
  process?: { execArgv?: string[] };
}

/**
 * Throws if a runtime would send what goes to an `http:` address on this machine to a proxy, where it can be read.
 *
 * Bun and Deno take proxies from the environment, and so does Node.js with `NODE_USE_ENV_PROXY`; no runtime lets a request
 * leave them out. What goes to other machines over plain http is refused elsewhere.
 */
export function checkProxy(origin: string): void {
  const { Bun, Deno } = globalThis as Scope;
  if (!origin.startsWith("http:") || !isSecure(origin)) return;
  if (!Bun && !Deno && !nodeTakesProxies()) return;
  const name = ["http_proxy", "HTTP_PROXY", ...(Bun || Deno ? ["all_proxy", "ALL_PROXY"] : [])].find(
    variable,
  );
  const { hostname } = new URL(origin);
  if (!name || isExempt(hostname, !!Deno)) return;
  const names = new Set(["localhost", "127.0.0.1", ...spellings(hostname)]);
  throw new InsecureTransportError(
    `what is sent to ${origin} would go to the proxy in the variable ${name}, where it can be read: put ${[...names].join(",")} into the variable NO_PROXY`,
  );
}

const nodeTakesProxies = (): boolean =>
  !!variable("NODE_USE_ENV_PROXY") ||
  `${(globalThis as Scope).process?.execArgv} ${variable("NODE_OPTIONS")}`.includes("--use-env-proxy");

/** Returns how an entry of `NO_PROXY` names a host: Deno takes IPv6 without brackets, Node.js with them. */
const spellings = (hostname: string): string[] =>
  hostname[0] === "[" ? [hostname, hostname.slice(1, -1)] : [hostname];

/**
 * Tells whether `NO_PROXY` names a host in a way that each runtime understands.
 *
 * They differ in everything else: parent domains, ports, letter case, spaces between entries, parts of addresses, a `*`
 * among others. Deno takes a `*` for names only. Where both variables are set, one runtime reads this and another that.
 */
function isExempt(hostname: string, isDeno: boolean): boolean {
  const lists = ["no_proxy", "NO_PROXY"].flatMap((name) => rawVariable(name) ?? []);
  const has = (list: string): boolean => {
    const entries = list.split(/ *, */);
    return (list === "*" && !isDeno) || spellings(hostname).every((name) => entries.includes(name));
  };
  return !!lists[0] && lists.every(has);
}
