// Adds the bearer token to the suite's requests: it has no option for headers. Loaded by `node --import`.
// The suite sends most requests by undici, and those whose headers it writes byte for byte by node:http.
import { createRequire, syncBuiltinESMExports } from "node:module";

// undici is that of the suite, which is installed in the current folder.
const require = createRequire(`${process.cwd()}/`);
const { getGlobalDispatcher, setGlobalDispatcher } = require("undici");
const http = require("node:http");
const authorization = `Bearer ${process.env.ARCRUN_MCP_TOKEN}`;

setGlobalDispatcher(
  getGlobalDispatcher().compose((dispatch) => (options, handler) => {
    const given = options.headers ?? {};
    const headers = Array.isArray(given)
      ? [...given, "authorization", authorization]
      : { ...given, authorization };
    return dispatch({ ...options, headers }, handler);
  }),
);

const send = http.request;
http.request = (...given) => {
  const request = send(...given);
  request.setHeader("authorization", authorization);
  return request;
};
syncBuiltinESMExports();
