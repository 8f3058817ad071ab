/** What is loaded when it is first needed: more than half of the SDK, which many programs never use. */

export { push } from "./pushing.js";
export { bind, getToken, setup } from "./services.js";
export { graphToPush } from "./workflows/graphs.js";
