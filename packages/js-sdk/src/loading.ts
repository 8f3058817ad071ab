/** How the deferred half of the SDK is loaded. */

/** Loads it; the runtime keeps it. */
export const deferred = (): Promise<typeof import("./deferred.js")> => import("./deferred.js");
