/**
 * Loads `deferred.ts` when it is first needed.
 *
 * This is the SDK's only `import()` of a module of its own: bundlers make one second file of what stands behind it.
 */

/** Returns what `deferred.ts` exports. The runtime loads it once. */
export const deferred = (): Promise<typeof import("./deferred.js")> => import("./deferred.js");
