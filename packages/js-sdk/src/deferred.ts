/** What is loaded when it is first needed: more than half of the SDK, which many programs never use. */

export { bind, getToken } from "./auth/bind.js";
export { push } from "./auth/push.js";
export { setup } from "./auth/setup.js";
export { graphToPush } from "./workflows/graphs.js";
