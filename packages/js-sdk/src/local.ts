/** What this machine gives: environment variables, where the runtime has them. */

import { type Secret, secretOf } from "./secret.js";

/** Returns an environment variable; undefined if it is not set, empty, or not ours to read. */
export function variable(name: string): string | undefined {
  try {
    const scope = globalThis as { process?: { env?: Record<string, string | undefined> } };
    return scope.process?.env?.[name] || undefined;
  } catch {
    return undefined; // Deno without --allow-env
  }
}

/** Names the variable that may hold a secret. */
export const secretVariable = (name: string): string => `ARCRUN_SECRET_${name.toUpperCase()}`;

/** Returns the secret in the variable `ARCRUN_SECRET_NAME`, if it is set. */
export const secretFromEnvironment = (name: string): Secret | undefined =>
  secretOf(variable(secretVariable(name)));
