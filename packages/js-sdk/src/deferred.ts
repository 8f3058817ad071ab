/** What is loaded on first use: more than half of the SDK, which many programs never need. See `loading.ts`. */

export { bind, getToken } from "./auth/bind.js";
export { push } from "./auth/push.js";
export { setup } from "./auth/setup.js";
export { graphToPush } from "./workflows/graphs.js";
