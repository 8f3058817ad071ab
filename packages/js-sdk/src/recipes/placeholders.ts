/** Placeholders of auth recipes: `{{secret.KEY}}` and `{{runtime.access_token}}` (docs/contract.md#auth-recipes). */

import { InvalidArgumentError, UnexpectedResponseError } from "../core/errors.js";
import type { Secret } from "../core/secret.js";
import { isText } from "../core/shapes.js";

/** Plaintexts by key. */
export type Values = ReadonlyMap<string, Secret>;

/**
 * Splits a text at its placeholders: literal text at the even indices, names of placeholders at the odd ones.
 *
 * A placeholder goes from `{{` to the next `}}`; its name is what is inside, without the white space around it.
 * That is what `/\{\{\s*(.*?)\s*\}\}/s` matches, but where the closing braces are missing this regular
 * expression takes cubic time, so that a recipe could stop the program. Here each character is looked at twice
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

/** Returns the key in `secret.KEY`. */
const secretKey = (name: string): string | undefined => /^secret\.(\w+)$/.exec(name)?.[1];

/** A text with placeholders, parsed once. */
export class Template {
  private readonly parts: readonly string[];
  /** The keys of the secrets that are named, in order. */
  readonly secretKeys: readonly string[];

  constructor(
    /** The template as the recipe has it. */
    readonly text: string,
  ) {
    this.parts = scan(text);
    this.secretKeys = this.parts.flatMap((part, i) => (i % 2 && secretKey(part)) || []);
  }

  /** Whether there is nothing to fill in. */
  get isConstant(): boolean {
    return this.parts.length === 1;
  }

  /**
   * Fills in the placeholders. A value that looks like a placeholder stays as it is.
   *
   * @param token - The access token, where the recipe fetches one.
   */
  render(values: Values, token?: Secret): string {
    return this.replace((name) => {
      const key = secretKey(name);
      const secret = key ? values.get(key) : name === "runtime.access_token" ? token : undefined;
      if (secret) return secret();
      throw new UnexpectedResponseError(
        `the recipe has a placeholder that cannot be filled in: {{${name}}}; supported are {{secret.KEY}}, for a key of required_secrets, and {{runtime.access_token}}`,
      );
    });
  }

  /** Returns the text with no white space inside the braces: two ways to write one template are the same. */
  normalized(): string {
    return this.replace((name) => `{{${name}}}`);
  }

  private replace(replacement: (name: string) => string): string {
    return this.parts.map((part, i) => (i % 2 ? replacement(part) : part)).join("");
  }
}

/** Returns a template if a value is text with placeholders; any other value is a constant, and returned as it is. */
export function parseTemplate(value: unknown): unknown {
  const template = isText(value) && new Template(value);
  return template && !template.isConstant ? template : value;
}

/** Returns a constant as it is, a template filled in. */
export const fillIn = (value: unknown, values: Values, token?: Secret): unknown =>
  value instanceof Template ? value.render(values, token) : value;

/** Fills in a recipe's base URL. Each value must be a part of a host name, so that none can move the request. */
export function renderBaseUrl(template: Template, values: Values): string {
  for (const key of template.secretKeys) {
    const secret = values.get(key);
    if (secret && !/^[A-Za-z0-9-]+$/.test(secret()))
      throw new InvalidArgumentError(
        `${key} becomes part of the address '${template.text}': letters A-Z a-z, digits and - only (the bare name, not a whole address)`,
      );
  }
  return template.render(values);
}
