/** What is loaded when it is first needed: more than half of the SDK, which many programs never use. */

export { graphToPush } from "./graphs.js";
export { seal } from "./sealing.js";
export { bind, getToken, setup } from "./services.js";
