/** Names, which are checked before any request is sent (docs/contract.md#routes, docs/contract.md#credentials). */

import { InvalidArgumentError } from "./errors.js";

/** Returns a name as error messages show it: not if it is long, since it may be a secret. */
const shown = (name: unknown): string =>
  typeof name === "string" && name.length <= 80 ? `'${name}'` : `a value of type ${typeof name}`;

/** Returns a name that matches a pattern; throws for another, naming what is allowed. */
export const checkName = (name: unknown, pattern: RegExp, what: string, allowed: string): string => {
  if (typeof name === "string" && pattern.test(name)) return name;
  throw new InvalidArgumentError(`${shown(name)} is not a valid ${what} name: use ${allowed}`);
};

export const WORD = /^\w{1,128}$/;
export const LETTERS = "letters A-Z a-z, digits and _ only, at most 128";

/** Returns a credential's name; throws if it is not valid. */
export function checkCredential(name: string): string {
  checkName(name, WORD, "credential", LETTERS);
  // GET /credentials/catalog is the list on the deployed engine.
  if (name.toLowerCase() === "catalog")
    throw new InvalidArgumentError(`'${name}' is a reserved name: choose another name for the credential`);
  return name;
}

/** Returns a workflow's name; throws if it is not valid. */
export const checkWorkflow = (name: string): string =>
  checkName(name, /^[\w-]{1,128}$/, "workflow", "letters A-Z a-z, digits, _ and -, at most 128");
