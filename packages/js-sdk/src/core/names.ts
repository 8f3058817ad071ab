/** Names, which are checked before any request is sent (docs/contract.md#routes, docs/contract.md#credentials). */

import { InvalidArgumentError } from "./errors.js";

/** Returns a name that matches a pattern; throws for another, naming what is allowed. */
export const checkName = (
  name: unknown,
  pattern: RegExp,
  what: string,
  allowed: string,
  longest = 80,
): string => {
  if (typeof name === "string" && pattern.test(name)) return name;
  const shown =
    typeof name !== "string"
      ? `a value of type ${typeof name}`
      : name.length > longest
        ? `a text of ${name.length} characters`
        : `'${name}'`;
  throw new InvalidArgumentError(`${shown} is not a valid ${what}: use ${allowed}`);
};

/** Checks a name of a credential, or a part of one. An error does not show it: it may be the secret. */
export const checkWord = (name: unknown, what: string): string =>
  checkName(name, /^\w{1,128}$/, `${what} name`, "letters A-Z a-z, digits and _ only, at most 128", -1);

/** Returns a credential's name; throws if it is not valid. */
export function checkCredential(name: string): string {
  checkWord(name, "credential");
  // GET /credentials/catalog is the list on the deployed engine.
  if (name.toLowerCase() === "catalog")
    throw new InvalidArgumentError(`'${name}' is a reserved name: choose another name for the credential`);
  return name;
}

/** Returns a workflow's name; throws if it is not valid. */
export const checkWorkflow = (name: string): string =>
  checkName(name, /^[\w-]{1,128}$/, "workflow name", "letters A-Z a-z, digits, _ and -, at most 128");

/** Returns the id of a component; throws if it is not valid. */
export const checkComponent = (id: string): string =>
  checkName(
    id,
    /^[A-Za-z][\w-]{0,127}$/,
    "component id",
    "a letter A-Z a-z, then letters, digits, _ and -, at most 128",
  );
