/**
 * The adapter for browsers: Chromium, driven by playwright. Argument: the folder that environment.py created.
 *
 * The page's origin differs from the engine's, and neither proxy nor stand-in support CORS, so Chromium's check is
 * switched off. Everything else is as on any page: opaque redirects, the browser's own `User-Agent`.
 */

import { createServer } from "node:http";
import { resolve } from "node:path";
import { bundled, from } from "./bundle.mjs";
import { serve } from "./stdio.mjs";

const [, , folder] = process.argv;
const { chromium } = from(folder)("playwright-core");
const executablePath = resolve(folder, "chromium/chromium");
const script = await bundled(
  folder,
  "{ name: navigator.userAgent.match(/Chrome\\/[\\d.]+/)[0], browser: true }",
  "globalThis.replyTo = replyTo;",
);
const page = '<!doctype html><title>adapter</title><script type="module" src="/script.mjs"></script>';
const server = createServer(({ url }, response) => {
  const [type, text] = url === "/script.mjs" ? ["text/javascript", script] : ["text/html", page];
  response.writeHead(200, { "content-type": `${type}; charset=utf-8` }).end(text);
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--disable-web-security", "--disable-features=LocalNetworkAccessChecks"],
});
const tab = await browser.newPage();
tab.on("console", (message) => console.error(message.text()));
await tab.goto(`http://127.0.0.1:${server.address().port}/`);
await tab.waitForFunction(() => "replyTo" in globalThis);
await serve((line) => tab.evaluate((line) => globalThis.replyTo(line), line));
await browser.close();
server.close();
