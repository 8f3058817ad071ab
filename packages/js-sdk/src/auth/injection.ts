/** What a bound client adds to a request, and how: on plain data, so that it can be tested alone. */

import { InvalidArgumentError, UnexpectedResponseError } from "../core/errors.js";
import { toBase64, utf8 } from "../core/sealing.js";
import { BLANK, type Secret } from "../core/secret.js";
import { objectOf, parsed } from "../core/shapes.js";
import { fillIn, Template, type Values } from "../recipes/placeholders.js";
import type { Inject } from "../recipes/recipe.js";

/** The secrets of one bound client, rendered. Functions only: nothing that an inspection would show. */
export interface Injection {
  /** Sets the headers. */
  sign(headers: Headers): void;
  /** Returns a URL's text with the places of its path filled in, and the query parameters added. */
  target(url: URL): string;
  /** Returns the content type and the body with the recipe's fields added; undefined: no change. */
  content(method: string, type: string, body: string): [string, string] | undefined;
  /** Whether something goes into the body. */
  readonly inBody: boolean;
  /** Takes the secrets out of a text, such as a URL that the service answers. */
  clean(text: string): string;
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
  const fill = (section: string): [string, unknown][] =>
    Object.entries(inject[section] ?? {}).map(([name, item]) => [name, fillIn(item, values, token)]);
  const filled = (section: string, write: (value: string, name: string) => string) =>
    fill(section).map(([name, value]) => [name, write(String(value), name)] as const);

  const headers = filled("header", (value, name) => headerValue(name, withBasic(value)));
  const query = filled("query", quote);
  const path = filled("path", segment);
  const body = fill("body");
  const plain = [...values.values(), ...(token ? [token] : [])]
    .map((secret) => secret())
    .sort((a, b) => b.length - a.length);

  return {
    inBody: body.length > 0,
    sign: (target) => {
      for (const [name, value] of headers) target.set(name, value);
    },
    target: ({ origin, pathname, search }) => {
      // In one go: what is filled in is never scanned again.
      const places = new Map(path);
      if (path.length)
        pathname = pathname.replace(
          new RegExp(`(?:\\{|%7b)(${[...places.keys()].map(escaped).join("|")})(?:\\}|%7d)`, "gi"),
          (place, name: string) => places.get(name) ?? place,
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
          "this service's recipe adds fields to the body, so the body must be a JSON object or a form: use json: {…} or body: new URLSearchParams({…})",
        );
      return [json ? type : "application/json", JSON.stringify({ ...fields, ...Object.fromEntries(body) })];
    },
    clean: (text) => {
      for (const [name, value] of [...path, ...query])
        text = text.replace(spellings(decodeURIComponent(value)), () => `%7B${name}%7D`);
      for (const secret of plain) if (secret.length >= 4) text = text.replace(spellings(secret), () => BLANK);
      return text;
    },
  };
}

/**
 * Parts the headers that hold no secret from everything that is injected.
 *
 * The former are defaults that users see and override.
 */
export function splitConstants(inject: Inject): [Record<string, string>, Inject] {
  const constants: Record<string, string> = {};
  const rest: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(inject["header"] ?? {}))
    if (!(value instanceof Template)) constants[name] = headerValue(name, String(value));
    else rest[name] = value;
  return [constants, { ...inject, header: rest }];
}

/** Encodes `Basic user:password` as RFC 7617 wants it; a colon can't occur in base64. */
const withBasic = (value: string): string =>
  value.replace(/^(basic) (.*:.*)$/is, (_, __, pair: string) => `Basic ${toBase64(utf8(pair))}`);

function headerValue(name: string, value: string): string {
  const framing = /^(host|content-length|transfer-encoding|connection|upgrade|te)$/i;
  if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name) || framing.test(name))
    throw new UnexpectedResponseError(`the recipe injects a header that it may not: '${name}'`);
  if (/^[\t -~]*$/.test(value)) return value;
  throw new InvalidArgumentError(
    `the secret for the header ${name} has a line break or another character that no header can carry: store it again without (a trailing line break often comes from a file)`,
  );
}

function segment(value: string, name: string): string {
  if (/^\.{0,2}$/.test(value))
    throw new InvalidArgumentError(`the secret for {${name}} in the path is empty or only dots`);
  return quote(value);
}

const escaped = (text: string): string => text.replace(/[^\w\s]/g, "\\$&");

/** Matches `text` in a URL, each character plain or percent-encoded. */
const spellings = (text: string): RegExp =>
  new RegExp(
    Array.from(text, (c) => {
      const encoded = Array.from(utf8(c), (byte) => `%${byte.toString(16).padStart(2, "0")}`);
      return `(?:${escaped(c)}|${encoded.join("")})`;
    }).join(""),
    "gi",
  );
