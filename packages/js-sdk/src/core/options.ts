/** The options of calls, checked: JavaScript would ignore one that is misspelled, and with it a key or an address. */

import { InvalidArgumentError } from "./errors.js";
import { nearest } from "./nearest.js";
import { objectOf } from "./shapes.js";

const EVERY_CALL = "timeout signal maxRetries extraHeaders";

/**
 * Returns the options of a call; throws for one that it does not have.
 *
 * @param what - The call, as the user writes it.
 * @param own - The names of the options that not every call has, with spaces between them.
 */
export function checkOptions<T extends object>(options: T | undefined, what: string, own = ""): Partial<T> {
  checkNames(options ?? {}, what, `${own} ${EVERY_CALL}`);
  return options ?? {};
}

/** Throws if a value is not an object, or has a field that is not one of `names`. */
export function checkNames(
  options: object,
  what: string,
  names: string,
  kind: new (message: string) => Error = InvalidArgumentError,
): void {
  const known = names.trim().split(" ");
  if (!objectOf(options))
    throw new kind(
      `${what}: the options must be an object, such as { ${known[0]}: … }, not a ${typeof options}`,
    );
  for (const name in options) // what it inherits is an option too
    if (!known.includes(name))
      throw new kind(`${what} has no option '${name}'${nearest(name, known)}; it has ${known.join(", ")}`);
}
