/** What is loaded when it is first needed: more than half of the SDK, which many programs never use. */

export { push } from "./auth/push.js";
export { bind, getToken, setup } from "./auth/services.js";
export { graphToPush } from "./workflows/graphs.js";
