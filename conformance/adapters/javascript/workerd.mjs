/** The adapter for workerd (Cloudflare Workers), run by miniflare. Argument: the folder that environment.py created. */

import { bundled, from } from "./bundle.mjs";
import { serve } from "./stdio.mjs";

const [, , folder] = process.argv;
const { Miniflare } = from(folder)("miniflare");
const { version } = from(folder)("workerd/package.json");
const script = await bundled(
  folder,
  `{ name: "workerd ${version}", environment: process.env }`,
  "export default { fetch: async (request) => new Response(await replyTo(await request.text())) };",
);
const modules = [{ type: "ESModule", path: "adapter.mjs", contents: script }];
// The SDK needs none of Node's modules; the flag gives the Worker `process.env`.
const compatibilityFlags = ["nodejs_compat"];
const worker = new Miniflare({ modules, compatibilityDate: "2026-07-01", compatibilityFlags });
await serve(async (line) => {
  const response = await worker.dispatchFetch("http://adapter/", { method: "POST", body: line });
  return response.text();
});
await worker.dispose();
