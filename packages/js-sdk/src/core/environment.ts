/** Environment variables, where the runtime has them. */

/** Returns an environment variable; undefined if it is not set, is empty, or may not be read. */
export function variable(name: string): string | undefined {
  try {
    const scope = globalThis as { process?: { env?: Record<string, string | undefined> } };
    return scope.process?.env?.[name] || undefined;
  } catch {
    return undefined; // Deno without --allow-env
  }
}
