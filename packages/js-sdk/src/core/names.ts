/** Names are checked before any request is made (CONTRACT.md §2 and §3). */

import { InvalidArgumentError } from "./errors.js";

const shown = (name: unknown): string =>
  typeof name === "string" && name.length <= 80 ? `'${name}'` : `a ${typeof name}`;

/** Returns a name that fits a pattern, or says what is allowed. */
export const checkName = (name: unknown, pattern: RegExp, what: string, allowed: string): string => {
  if (typeof name === "string" && pattern.test(name)) return name;
  throw new InvalidArgumentError(`${shown(name)} is no name for ${what}: use ${allowed}`);
};

export const WORD = /^\w+$/;
export const LETTERS = "letters A-Z a-z, digits and _ only";

/** Returns the credential's name, or says what is wrong with it. */
export function checkCredential(name: string): string {
  checkName(name, WORD, "a credential", LETTERS);
  // GET /credentials/catalog is the list on the deployed engine.
  if (name.toLowerCase() === "catalog")
    throw new InvalidArgumentError(`'${name}' is a reserved name: choose another for the credential`);
  return name;
}

/** Returns the workflow's name, or says what is wrong with it. */
export const checkWorkflow = (name: string): string =>
  checkName(name, /^[\w-]{1,128}$/, "a workflow", "letters A-Z a-z, digits, _ and -, at most 128");
