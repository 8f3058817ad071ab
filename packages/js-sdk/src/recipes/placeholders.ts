/** Templates of auth recipes: `{{secret.KEY}}` and `{{runtime.access_token}}` (CONTRACT.md §4). */

import { InvalidArgumentError, UnexpectedResponseError } from "../core/errors.js";
import type { Secret } from "../core/secret.js";

/** Plaintexts by key. */
export type Values = ReadonlyMap<string, Secret>;

const keyIn = (name: string): string | undefined => /^secret\.(\w+)$/.exec(name)?.[1];

/**
 * Splits a text at its placeholders: literal text at the even indices, names of placeholders at the odd ones.
 *
 * A placeholder goes from `{{` to the next `}}`; its name is what is inside, without the white space around it.
 * That is what `/\{\{\s*(.*?)\s*\}\}/s` matches, but where the closing braces are missing this regular
 * expression takes cubic time, so that a recipe could stop the process. Here each character is looked at twice
 * at most: where no `}}` follows, none follows a later `{{` either, and the search ends.
 *
 * @example
 * `scan("Bearer {{ secret.a }}!")` is `["Bearer ", "secret.a", "!"]`.
 */
export function scan(text: string): string[] {
  const parts: string[] = [];
  let end = 0;
  for (;;) {
    const start = text.indexOf("{{", end);
    const close = start < 0 ? -1 : text.indexOf("}}", start + 2);
    if (close < 0) return [...parts, text.slice(end)];
    parts.push(text.slice(end, start), text.slice(start + 2, close).trim());
    end = close + 2;
  }
}

/** Replaces each placeholder of a text. What is put in is never scanned again. */
export const replacePlaceholders = (text: string, replace: (name: string) => string): string =>
  scan(text)
    .map((part, i) => (i % 2 ? replace(part) : part))
    .join("");

/** Lists the keys of the secrets that a template names, in order. */
export const secretKeys = (template: unknown): string[] =>
  scan(String(template)).flatMap((part, i) => (i % 2 && keyIn(part)) || []);

/** Tells whether a template holds nothing to fill in. */
export const isConstant = (template: unknown): boolean => scan(String(template)).length < 2;

/** Fills a template in. */
export const render = (template: string, values: Values, token?: Secret): string =>
  replacePlaceholders(template, (name) => {
    const key = keyIn(name);
    const secret = key ? values.get(key) : name === "runtime.access_token" ? token : undefined;
    if (secret) return secret();
    throw new UnexpectedResponseError(
      `the recipe has a placeholder that cannot be filled in: {{${name}}}; supported are {{secret.KEY}}, for a key of required_secrets, and {{runtime.access_token}}`,
    );
  });

/** Fills a recipe's base URL in; a value must be a part of a host name, so it can't move it. */
export function renderBaseUrl(template: string, values: Values): string {
  for (const key of secretKeys(template)) {
    const secret = values.get(key);
    if (secret && !/^[A-Za-z0-9-]+$/.test(secret()))
      throw new InvalidArgumentError(
        `${key} becomes part of the address '${template}': letters A-Z a-z, digits and - only (the bare name, not a whole address)`,
      );
  }
  return render(template, values);
}
