/** What a bound client adds to a request: headers, query parameters, path segments, body fields. */

import { InvalidArgumentError, UnexpectedResponseError } from "../core/errors.js";
import { toBase64, utf8 } from "../core/sealing.js";
import { BLANK, type Secret } from "../core/secret.js";
import { objectOf, parsed } from "../core/shapes.js";
import { fillIn, Template, type Values } from "../recipes/placeholders.js";
import type { Inject } from "../recipes/recipe.js";

/** The rendered secrets of one bound client. It has functions only: an inspection shows no secret. */
export interface Injection {
  /** Sets the headers. */
  setHeaders(headers: Headers): void;
  /** Returns a URL's text with the `{name}` placeholders of its path filled in, and the query parameters added. */
  target(url: URL): string;
  /** Returns the content type and the body with the recipe's fields added; undefined if nothing changes. */
  content(method: string, type: string, body: string): [string, string] | undefined;
  /** Whether something goes into the body. */
  readonly inBody: boolean;
  /** Puts placeholders back where a text, such as a URL in a response header, repeats a secret. */
  withoutSecrets(text: string): string;
}

/** Percent-encodes all but letters, digits and `-._~`, as Python's `quote` does. */
const quote = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

/**
 * Renders a recipe's `inject`.
 *
 * @param token - The fetched access token, where the recipe needs one.
 */
export function injection(inject: Inject, values: Values, token: Secret | undefined): Injection {
  const render = (section: string): [string, unknown][] =>
    Object.entries(inject[section] ?? {}).map(([name, item]) => [name, fillIn(item, values, token)]);
  const encode = (section: string, encoded: (value: string, name: string) => string) =>
    render(section).map(([name, value]) => [name, encoded(String(value), name)] as const);

  const headers = encode("header", (value, name) => headerValue(name, withBasic(value)));
  const query = encode("query", quote);
  const path = encode("path", segment);
  const body = render("body");
  const secrets = [...values.values(), ...(token ? [token] : [])]
    .map((secret) => secret())
    .sort((a, b) => b.length - a.length);

  return {
    inBody: body.length > 0,
    setHeaders: (target) => {
      for (const [name, value] of headers) target.set(name, value);
    },
    target: ({ origin, pathname, search }) => {
      // In one pass: a value that looks like a placeholder stays as it is.
      const segments = new Map(path);
      if (path.length)
        pathname = pathname.replace(
          new RegExp(`(?:\\{|%7b)(${[...segments.keys()].map(escaped).join("|")})(?:\\}|%7d)`, "gi"),
          (placeholder, name: string) => segments.get(name) ?? placeholder,
        );
      const names = query.map(([name]) => name);
      const kept = search
        .slice(1)
        .split("&")
        .filter((pair) => pair && !names.includes(new URLSearchParams(pair).keys().next().value ?? ""));
      const pairs = [...kept, ...query.map(([name, value]) => `${quote(name)}=${value}`)];
      return origin + pathname + (query.length ? `?${pairs.join("&")}` : search);
    },
    content: (method, type, text) => {
      if (!text && /^(GET|HEAD|DELETE|OPTIONS|TRACE)$/i.test(method)) return undefined;
      const kind = (type.split(";")[0] as string).trim().toLowerCase();
      if (kind === "application/x-www-form-urlencoded") {
        const form = new URLSearchParams(text);
        for (const [name, value] of body) form.set(name, String(value));
        return [type, form.toString()];
      }
      const json = kind === "application/json" || kind.endsWith("+json");
      const fields = objectOf(text ? (json ? parsed(text) : undefined) : {});
      if (!fields)
        throw new InvalidArgumentError(
          "the auth recipe of this service adds fields to the body, so the body must be a JSON object or a form: use json: {…} or body: new URLSearchParams({…})",
        );
      return [json ? type : "application/json", JSON.stringify({ ...fields, ...Object.fromEntries(body) })];
    },
    withoutSecrets: (text) => {
      for (const [name, value] of [...path, ...query])
        text = text.replace(spellings(decodeURIComponent(value)), () => `%7B${name}%7D`);
      for (const secret of secrets)
        if (secret.length >= 4) text = text.replace(spellings(secret), () => BLANK);
      return text;
    },
  };
}

/**
 * Separates the headers that hold no secret from everything else.
 *
 * They become default headers, which users can see and override.
 */
export function splitConstants(inject: Inject): [Record<string, string>, Inject] {
  const constants: Record<string, string> = {};
  const rest: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(inject["header"] ?? {}))
    if (value instanceof Template) rest[name] = value;
    else constants[name] = headerValue(name, String(value));
  return [constants, { ...inject, header: rest }];
}

/** Encodes `Basic user:password` as RFC 7617 requires; base64 has no colon, so nothing is encoded twice. */
const withBasic = (value: string): string =>
  value.replace(/^(basic) (.*:.*)$/is, (_, __, pair: string) => `Basic ${toBase64(utf8(pair))}`);

function headerValue(name: string, value: string): string {
  const framing = /^(host|content-length|transfer-encoding|connection|upgrade|te)$/i;
  if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name) || framing.test(name))
    throw new UnexpectedResponseError(`the auth recipe sets a header that a recipe may not set: '${name}'`);
  if (/^[\t -~]*$/.test(value)) return value;
  throw new InvalidArgumentError(
    `the secret for the header ${name} has a line break or another character that a header cannot carry: store it again without it (a trailing line break often comes from a file)`,
  );
}

/** Returns a value as one segment of a path. */
function segment(value: string, name: string): string {
  if (/^\.{0,2}$/.test(value))
    throw new InvalidArgumentError(`the secret for {${name}} in the path is empty or only dots`);
  return quote(value);
}

const escaped = (text: string): string => text.replace(/[^\w\s]/g, "\\$&");

/** Returns a pattern that matches `text` in a URL, each character plain or percent-encoded. */
const spellings = (text: string): RegExp =>
  new RegExp(
    Array.from(text, (c) => {
      const encoded = Array.from(utf8(c), (byte) => `%${byte.toString(16).padStart(2, "0")}`);
      return `(?:${escaped(c)}|${encoded.join("")})`;
    }).join(""),
    "gi",
  );
