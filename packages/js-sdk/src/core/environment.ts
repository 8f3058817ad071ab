/** Environment variables, where the runtime has them. */

/** Returns an environment variable; undefined if it is not set, is empty, or may not be read. */
export const variable = (name: string): string | undefined => rawVariable(name) || undefined;

/** Returns an environment variable, which may be empty; undefined if it is not set, or may not be read. */
export function rawVariable(name: string): string | undefined {
  try {
    const scope = globalThis as { process?: { env?: Record<string, string | undefined> } };
    return scope.process?.env?.[name];
  } catch {
    return undefined; // Deno without --allow-env
  }
}
