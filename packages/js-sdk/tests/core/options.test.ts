import { describe, expect, it } from "vitest";
import * as sdk from "../../src/index.js";
import { clientOf, engineOf, KEY, NOTION, rejection, serve } from "../support.js";

/** What a program without types may pass. */
const given = (options: unknown) => options as never;

describe("an option that is not known is refused, and the near one named", () => {
  it.each([
    [{ baseURL: "http://127.0.0.1:1" }, "new Arcrun has no option 'baseURL'; did you mean 'baseUrl'?"],
    [{ api_key: KEY }, "new Arcrun has no option 'api_key'; did you mean 'apiKey'?"],
    [{ max_retries: 1 }, "new Arcrun has no option 'max_retries'; did you mean 'maxRetries'?"],
    [KEY, "new Arcrun: the options must be an object, such as { apiKey: … }, not a string"],
    [null, "new Arcrun: the options must be an object"],
    [[KEY], "new Arcrun: the options must be an object"],
    [Object.create({ baseURL: "http://127.0.0.1:1" }), "new Arcrun has no option 'baseURL'"],
    [{ allowInsecureHttp: "no" }, "allowInsecureHttp must be true or false, not no"],
    [{ allowInsecureHttp: 1 }, "allowInsecureHttp must be true or false, not 1"],
    [{ fetch: 5 }, "fetch must be a function, not a value of type number"],
    [
      { defaultHeaders: new Headers({ a: "b" }) },
      "defaultHeaders must be an object with a text for each name",
    ],
    [{ defaultHeaders: [["a", "b"]] }, "defaultHeaders must be an object with a text for each name"],
    [{ defaultHeaders: { "X-Arcrun-API-Key": "k" } }, "defaultHeaders can't set 'X-Arcrun-API-Key'"],
  ])("by new Arcrun(%j)", (options, message) => {
    expect(() => new sdk.Arcrun(given(options))).toThrow(sdk.ConfigurationError);
    expect(() => new sdk.Arcrun(given(options))).toThrow(message);
  });

  const client = new sdk.Arcrun({ apiKey: KEY, baseUrl: "http://127.0.0.1:9" });
  const { auth, creds, workflows, runs, recipes, components } = client;
  const bad = given({ timeOut: 1 });
  it.each<[string, () => Promise<unknown>]>([
    ["client.health", () => client.health(bad)],
    ["client.auth.listServices", () => auth.listServices(bad)],
    ["client.auth.setup", () => auth.setup("notion", {}, bad)],
    ["client.auth.bind", () => auth.bind("notion", bad)],
    ["client.auth.getToken", () => auth.getToken("notion", bad)],
    ["client.creds.push", () => creds.push("a", "b", bad)],
    ["client.creds.list", () => creds.list(bad)],
    ["client.creds.delete", () => creds.delete("a", bad)],
    ["client.workflows.push", () => workflows.push("a", { flow: [""] }, bad)],
    ["client.workflows.list", () => workflows.list(bad)],
    ["client.workflows.get", () => workflows.get("a", bad)],
    ["client.workflows.delete", () => workflows.delete("a", bad)],
    ["client.workflows.run", () => workflows.run("a", {}, bad)],
    ["client.workflows.executions", () => workflows.executions("a", bad)],
    ["client.workflows.resume", () => workflows.resume("a", 1, bad)],
    ["client.runs.list", () => runs.list(bad)],
    ["client.runs.get", () => runs.get("a", bad)],
    ["client.runs.cancel", () => runs.cancel("a", bad)],
    ["client.runs.retry", () => runs.retry("a", bad)],
    ["client.recipes.push", () => recipes.push("a", bad)],
    ["client.recipes.list", () => recipes.list(bad)],
    ["client.recipes.get", () => recipes.get("a", bad)],
    ["client.recipes.delete", () => recipes.delete("a", bad)],
    ["client.recipes.render", () => recipes.render("a", {}, bad)],
    ["client.recipes.test", () => recipes.test("a", bad)],
    ["client.recipes.backtest", () => recipes.backtest("a", bad)],
    ["client.recipes.label", () => recipes.label("a", "b", 1, bad)],
    ["client.recipes.unlabel", () => recipes.unlabel("a", "b", bad)],
    ["client.recipes.versions", () => recipes.versions("a", bad)],
    ["client.recipes.diff", () => recipes.diff("a", 1, 2, bad)],
    ["client.components.list", () => components.list(bad)],
    ["client.components.get", () => components.get("a", bad)],
    ["client.components.search", () => components.search("a", bad)],
  ])("by %s", async (call, send) => {
    const error = await rejection(send());
    expect(error).toBeInstanceOf(sdk.InvalidArgumentError);
    expect(error.message).toMatch(`${call} has no option 'timeOut'; did you mean 'timeout'?; it has `);
  });

  it("by withOptions", () =>
    expect(() => client.withOptions(given({ max_retries: 1 }))).toThrow(/did you mean 'maxRetries'\?/));
});

describe("before the first byte", () => {
  const document = { flow: ["input >> 完成後 >> a"], config: { a: { component: "comp_passthrough" } } };

  it.each<[string, (client: sdk.Arcrun) => Promise<unknown>]>([
    ["the description", ({ workflows }) => workflows.push("a", document, { description: " " })],
    ["the config", ({ workflows }) => workflows.push("a", document, { config: given({ a: 1 }) })],
    ["the time-out", ({ workflows }) => workflows.push("a", document, { timeout: 0 })],
    ["the values", ({ auth }) => auth.setup("notion", { notion_token: given(1) })],
    ["the secrets", ({ auth }) => auth.setup("notion", given("ntn_x"))],
    ["the time-out of a bound client", ({ auth }) => auth.bind("notion", { timeout: -1 })],
  ])("%s is checked", async (_, call) => {
    const engine = await serve(() => ({ json: {} }));
    await expect(call(clientOf(engine))).rejects.toThrow(sdk.InvalidArgumentError);
    expect(engine.requests).toHaveLength(0);
  });

  it.each<[string, (client: sdk.Arcrun) => Promise<unknown>]>([
    ["workflows.push", ({ workflows }) => workflows.push("a", document)],
    ["workflows.run", ({ workflows }) => workflows.run("a")],
    ["auth.setup", ({ auth }) => auth.setup("notion", { notion_token: "x" })],
    ["creds.push", ({ creds }) => creds.push("a", "x")],
  ])("%s looks for a key", async (_, call) => {
    const engine = await engineOf(NOTION);
    await expect(call(new sdk.Arcrun({ baseUrl: engine.url }))).rejects.toThrow(/this call needs an API key/);
    expect(engine.requests).toHaveLength(0);
  });
});
