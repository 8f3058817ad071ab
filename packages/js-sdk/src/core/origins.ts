/** Origins of URLs, and whether others can read what is sent to them. */

/**
 * Returns `scheme://host[:port]` of a URL, the default port left out; undefined if it has none.
 */
export function originOf(url: string): string | undefined {
  const [, scheme, host, port] = /^(https?):\/\/([!-~]+?)(?::(\d+))?(?:[/?#]|$)/i.exec(url) ?? [];
  if (!scheme || !host || /[\\@]/.test(host)) return undefined;
  const origin = `${scheme}://${host}`.toLowerCase();
  const usual = scheme.length === 5 ? "443" : "80";
  return port && port !== usual ? `${origin}:${port}` : origin;
}

/** Returns the origin that `fetch` sees in a URL; undefined if it refuses the URL. */
export function readOrigin(url: string): string | undefined {
  try {
    return new URL(url).origin;
  } catch {
    return undefined;
  }
}

/** Tells whether an origin is on this machine. */
const isLoopback = (origin: string): boolean =>
  /^https?:\/\/(([^/]+\.)?localhost|127(\.\d+){3}|\[::1\])(:\d+)?$/.test(origin);

/** Tells whether no one else can read what is sent to an origin: it is https, or on this machine. */
export const isSecure = (origin: string): boolean => origin.startsWith("https:") || isLoopback(origin);

/** Returns a URL without the slashes at its end. As a regular expression, this takes quadratic time. */
export function withoutSlashes(url: string): string {
  let end = url.length;
  while (url[end - 1] === "/") end--;
  return url.slice(0, end);
}
