/** Templates of auth recipes: `{{secret.KEY}}` and `{{runtime.access_token}}` (CONTRACT.md §4). */

import { InvalidArgumentError, UnexpectedResponseError } from "../core/errors.js";
import type { Secret } from "../core/secret.js";

/** A template's place; its group is what stands inside. */
export const BRACES = /\{\{\s*(.*?)\s*\}\}/gs;

/** Plaintexts by key. */
export type Values = ReadonlyMap<string, Secret>;

const keyIn = (inside: string): string | undefined => /^secret\.(\w+)$/.exec(inside)?.[1];

const insides = (template: string): string[] =>
  Array.from(template.matchAll(BRACES), (match) => match[1] as string);

/** Lists the keys of the secrets that a template names, in order. */
export const secretKeys = (template: unknown): string[] =>
  insides(String(template)).flatMap((inside) => keyIn(inside) ?? []);

/** Tells whether a template holds nothing to fill in. */
export const isConstant = (template: unknown): boolean => !insides(String(template)).length;

/** Fills a template in. What is filled in is never scanned again. */
export const render = (template: string, values: Values, token?: Secret): string =>
  template.replace(BRACES, (place, inside: string) => {
    const key = keyIn(inside);
    const secret = key ? values.get(key) : inside === "runtime.access_token" ? token : undefined;
    if (secret) return secret();
    throw new UnexpectedResponseError(
      `the recipe has a template that cannot be filled in: ${place}; known are {{secret.KEY}}, for a key of required_secrets, and {{runtime.access_token}}`,
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
