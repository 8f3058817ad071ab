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
    return JSON.stringify(value, check);
  } catch (error) {
    throw new InvalidArgumentError(
      `${what} cannot be written as JSON: ${blankOut((error as Error).message, secrets)}`,
    );
  }
}

function check(key: string, value: unknown): unknown {
  const reason =
    typeof value === "bigint" || isRounded(value)
      ? "beyond what a number in JSON keeps exactly: write it as text"
      : typeof value === "number" && !Number.isFinite(value)
        ? "not a number that JSON has"
        : undefined;
  if (reason) throw new TypeError(`${key ? `'${key}'` : "it"} is ${value}, ${reason}`);
  return value;
}

/** Tells whether a number would be written as an integer that may not be the one that was meant. */
const isRounded = (value: unknown): boolean =>
  Number.isInteger(value) && !Number.isSafeInteger(value) && Math.abs(value as number) < 1e21;
