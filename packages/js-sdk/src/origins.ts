/** Origins of URLs, also of such that hold templates. */

/** A template's place; its group is what stands inside. */
export const BRACES = /\{\{\s*(.*?)\s*\}\}/gs;

/**
 * Returns `scheme://host[:port]` of a URL, the default port left out; undefined if it has none.
 *
 * Templates stay as they are: their origin is compared before any secret is filled in.
 */
export function originOf(url: string): string | undefined {
  const [, scheme, host, port] =
    /^(https?):\/\/([!-~]+?)(?::(\d+))?(?:[/?#]|$)/i.exec(url.trim().replace(BRACES, "{{$1}}")) ?? [];
  if (!scheme || !host || /[\\@]/.test(host)) return undefined;
  const origin = `${scheme}://${host}`.toLowerCase();
  const usual = scheme.length === 5 ? "443" : "80";
  return port && port !== usual ? `${origin}:${port}` : origin;
}

/** Tells whether an origin is on this machine. */
export const isLoopback = (origin: string): boolean =>
  /^https?:\/\/(([^/]+\.)?localhost|127(\.\d+){3}|\[::1\])(:\d+)?$/.test(origin);
