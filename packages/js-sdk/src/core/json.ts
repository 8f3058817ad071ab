/** Writes JSON, without the changes that `JSON.stringify` makes in silence. */

import { InvalidArgumentError } from "./errors.js";
import { blankOut, type Secret } from "./secret.js";

/**
 * Returns a value as JSON; throws if it can't be written as it is.
 *
 * @param what - The value, as the error names it.
 * @param secrets - Blanked out of the error.
 */
export function toJson(value: unknown, what: string, secrets: readonly Secret[] = []): string {
  try {
    return JSON.stringify(value, function (this: Record<string, unknown>, key, item) {
      return check(key, item, this[key]);
    });
  } catch (error) {
    throw new InvalidArgumentError(
      `${what} cannot be written as JSON: ${blankOut((error as Error).message, secrets)}`,
    );
  }
}

/** Returns a value; throws if JSON would have another one. `given` is what it was before its `toJSON`. */
function check(key: string, value: unknown, given: unknown): unknown {
  const number = value instanceof Number ? value.valueOf() : value;
  const reason =
    typeof number === "bigint" || isRounded(number)
      ? "beyond what a number in JSON keeps exactly: write it as text"
      : typeof number === "number" && !Number.isFinite(number)
        ? "not a number that JSON has"
        : given instanceof Date && value === null
          ? "not a date"
          : value instanceof Map || value instanceof Set
            ? "which JSON has no form for: make an object or a list of it"
            : undefined;
  if (reason) throw new TypeError(`${key ? `'${key}'` : "it"} is ${given}, ${reason}`);
  return value;
}

/** Tells whether a number would be written as an integer that may not be the one that was meant. */
const isRounded = (value: unknown): boolean =>
  Number.isInteger(value) && !Number.isSafeInteger(value) && Math.abs(value as number) < 1e21;
