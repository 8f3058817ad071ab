import { describe, expect, it } from "vitest";
import * as sdk from "../../src/index.js";
import { clientOf, KEY, type Reply, rejection, serve } from "../support.js";

const TEXT = "id: prompt_recipe:greet  # \u{1F44B}\nprompt_assembly: {user: caf\u00e9 cafe\u0301}\n";
const STORED = { id: "prompt_recipe:greet", name: "greet", version: 1, recipe: {}, source: TEXT };
const PUSHED = { status: 201, json: { success: true, recipe: STORED, warnings: ["w"] } };
const BUSY = { status: 503, json: { error: "locked" }, headers: { "retry-after-ms": "1" } };
const ONE = "/prompt-recipes/greet";

/** What a program without types may pass. */
const given = (value: unknown) => value as never;

/** An engine with prompt recipes, which responds to requests in turn; `asked` has no requests for its health. */
async function engine(...replies: Reply[]) {
  let next = 0;
  const served = await serve(({ path }) =>
    path === "/health"
      ? { json: { ok: true, capabilities: ["prompt_recipes"] } }
      : replies[Math.min(next++, replies.length - 1)],
  );
  const asked = () => served.requests.filter(({ path }) => path !== "/health");
  return { client: clientOf(served), served, asked };
}

const queryOf = (path: string) => Object.fromEntries(new URL(path, "http://engine").searchParams);

describe("push", () => {
  it("sends the text to the letter", async () => {
    const { client, asked } = await engine(PUSHED);
    const pushed = await client.recipes.push(TEXT, { message: "第一版", expectedVersion: 0 });
    expect(pushed).toEqual({ ...STORED, warnings: ["w"] });
    expect(asked()[0]?.json).toEqual({ recipe: TEXT, message: "第一版", expected_version: 0 });
  });

  it("takes an object", async () => {
    const { client, asked } = await engine(PUSHED);
    const recipe = { name: "greet", prompt_assembly: { user: "嗨" } };
    await client.recipes.push(recipe);
    expect(asked()[0]?.json).toEqual({ recipe });
  });

  it("sends one key with all its attempts, and another with the next push", async () => {
    const { client, asked } = await engine(BUSY, BUSY, PUSHED);
    await client.recipes.push(TEXT);
    await client.recipes.push(TEXT);
    const [first, second, third, other] = asked().map(({ headers }) => headers["idempotency-key"]);
    expect(first).toMatch(/^[!-~]{1,128}$/);
    expect([second, third]).toEqual([first, first]);
    expect(other).not.toBe(first);
  });

  it("that is outdated is a conflict", async () => {
    const error = { error: "the newest version is 3", code: "version_conflict", newest_version: 3 };
    const { client } = await engine({ status: 409, json: error });
    const caught = await rejection(client.recipes.push(TEXT, { expectedVersion: 2 }));
    expect(caught).toBeInstanceOf(sdk.ConflictError);
    expect(caught).toMatchObject({ status: 409, code: "version_conflict", newestVersion: 3 });
  });

  it("of a recipe with faults says where they are", async () => {
    const details = [{ message: "unknown field", line: 2, column: 1, suggestion: "inputs" }];
    const { client } = await engine({ status: 400, json: { error: "…", code: "invalid_recipe", details } });
    const caught = await rejection(client.recipes.push(TEXT));
    expect(caught).toBeInstanceOf(sdk.BadRequestError);
    expect(caught).toMatchObject({ details });
  });
});

describe("a version is named as a node names it", () => {
  it.each<[string, object, object]>([
    ["greet", {}, {}],
    ["prompt_recipe:greet", {}, {}],
    ["greet@3", {}, { version: "3" }],
    ["prompt_recipe:greet@production", {}, { label: "production" }],
    ["greet@v1.2-rc", {}, { label: "v1.2-rc" }],
    ["prompt_recipe:greet", { version: 12 }, { version: "12" }],
    ["greet", { label: "staging" }, { label: "staging" }],
  ])("%s %j", async (name, options, query) => {
    const { client, asked } = await engine(
      { json: { recipe: STORED } },
      { json: { messages: [] } },
      { json: { passed: true, tests: [] } },
    );
    expect(await client.recipes.get(name, options)).toEqual(STORED);
    expect((await client.recipes.render(name, undefined, options)).messages).toEqual([]);
    expect((await client.recipes.test(name, options)).passed).toBe(true);
    expect(asked().map(({ path }) => path.split("?")[0])).toEqual([ONE, `${ONE}/render`, `${ONE}/test`]);
    expect(asked().map(({ path }) => queryOf(path))).toEqual([query, query, query]);
  });

  it.each<[unknown, object]>([
    ["", {}],
    ["Greet", {}],
    ["greet/..", {}],
    ["greet\n", {}],
    ["prompt_recipe:prompt_recipe:greet", {}],
    ["a".repeat(129), {}],
    [5, {}],
    ["greet@", {}],
    ["greet@0", {}],
    ["greet@1000000000", {}],
    ["greet@a b", {}],
    ["greet@3", { version: 3 }],
    ["greet@3", { label: "production" }],
    ["greet", { version: 3, label: "production" }],
    ["greet", { version: 0 }],
    ["greet", { version: "3" }],
    ["greet", { label: "3" }],
    ["greet", { label: "" }],
  ])("%j %j is refused before a request", async (name, options) => {
    const { client, served } = await engine(PUSHED);
    for (const call of [
      client.recipes.get(given(name), options),
      client.recipes.render(given(name), {}, options),
      client.recipes.test(given(name), options),
    ])
      expect(await rejection(call)).toBeInstanceOf(sdk.InvalidArgumentError);
    expect(served.requests).toEqual([]);
  });
});

describe("before the first byte", () => {
  it.each<[string, (client: sdk.Arcrun) => Promise<unknown>]>([
    ["an empty recipe", ({ recipes }) => recipes.push("")],
    ["a recipe that is none", ({ recipes }) => recipes.push(given(5))],
    ["a message", ({ recipes }) => recipes.push(TEXT, { message: given(5) })],
    ["an expected version", ({ recipes }) => recipes.push(TEXT, { expectedVersion: -1 })],
    [
      "an expected version that is no number",
      ({ recipes }) => recipes.push(TEXT, { expectedVersion: given(false) }),
    ],
    ["a switch", ({ recipes }) => recipes.delete("greet", { force: given("no") })],
    ["a label", ({ recipes }) => recipes.label("greet", "a/b", 1)],
    ["a label's version", ({ recipes }) => recipes.label("greet", "production", 0)],
    ["a label's switch", ({ recipes }) => recipes.label("greet", "a", 1, { requiresTests: given("no") })],
    ["a label to remove", ({ recipes }) => recipes.unlabel("greet", "..")],
    ["an older version", ({ recipes }) => recipes.diff("greet", 0)],
    ["a newer version", ({ recipes }) => recipes.diff("greet", 1, 0)],
    ["inputs", ({ recipes }) => recipes.render("greet", ["a"])],
    ["a context", ({ recipes }) => recipes.render("greet", {}, { context: given("a") })],
    ["fragments", ({ recipes }) => recipes.render("greet", {}, { fragments: given(5) })],
    ["a draft beside a version", ({ recipes }) => recipes.render("greet@1", {}, { recipe: TEXT })],
    ["an empty draft", ({ recipes }) => recipes.test("greet", { recipe: "" })],
    ["a version for the whole recipe", ({ recipes }) => recipes.versions("greet@3")],
    ["a label for the whole recipe", ({ recipes }) => recipes.delete("greet@production")],
    ["a number of retries", ({ recipes }) => recipes.list({ maxRetries: -1 })],
  ])("%s is checked", async (_, call) => {
    const { client, served } = await engine(PUSHED);
    expect(await rejection(call(client))).toBeInstanceOf(sdk.ArcrunError);
    expect(served.requests).toEqual([]);
  });

  it("a key is looked for", async () => {
    const { served } = await engine(PUSHED);
    const keyless = new sdk.Arcrun({ baseUrl: served.url });
    await expect(keyless.recipes.list()).rejects.toThrow(/this call needs an API key/);
    expect(served.requests).toEqual([]);
  });
});

describe("the other methods", () => {
  it("render sends what is given", async () => {
    const messages = [{ role: "user", content: "嗨", ranges: [] }];
    const { client, asked } = await engine({ json: { messages } });
    const options = { context: { a: 1 }, fragments: { style: "short" }, recipe: TEXT };
    expect((await client.recipes.render("greet", { name: "小明" }, options)).messages).toEqual(messages);
    expect(asked()[0]?.json).toEqual({ inputs: { name: "小明" }, ...options });
    await client.recipes.render("greet");
    expect(asked()[1]?.json).toEqual({});
  });

  it("what stores nothing is repeated", async () => {
    const done = { json: { messages: [], passed: true, tests: [], runs: [] } };
    const { client, asked } = await engine(BUSY, done, BUSY, done, BUSY, done);
    await client.recipes.render("greet");
    await client.recipes.test("greet");
    await client.recipes.backtest("greet");
    expect(asked()).toHaveLength(6);
  });

  it("backtest sends what is given", async () => {
    const { client, asked } = await engine({ json: { count: 0, changed: 0, runs: [] } });
    expect((await client.recipes.backtest("greet", { runs: 20, call: true, recipe: TEXT })).runs).toEqual([]);
    await client.recipes.backtest("greet@3", { call: false });
    expect(asked().map(({ path, json }) => [path, json])).toEqual([
      [`${ONE}/backtest`, { runs: 20, call: true, recipe: TEXT }],
      [`${ONE}/backtest?version=3`, {}],
    ]);
  });

  it.each([{ runs: 0 }, { runs: 201 }, { runs: 1.5 }, { runs: given("5") }, { call: given("no") }])(
    "refuses a backtest with %j",
    async (options) => {
      const { client, asked } = await engine({ json: { runs: [] } });
      expect(await rejection(client.recipes.backtest("greet", options))).toBeInstanceOf(
        sdk.InvalidArgumentError,
      );
      expect(asked()).toEqual([]);
    },
  );

  it("a backtest that asks a model is not repeated", async () => {
    const { client, asked } = await engine(BUSY);
    expect(await rejection(client.recipes.backtest("greet", { call: true }))).toBeInstanceOf(
      sdk.APIStatusError,
    );
    expect(asked()).toHaveLength(1);
  });

  it("a label points to a version", async () => {
    const label = { name: "greet", label: "production", version: 2, requires_tests: true };
    const { client, asked } = await engine({ json: label });
    expect(await client.recipes.label("prompt_recipe:greet", "production", 2)).toEqual(label);
    await client.recipes.label("greet", "production", 2, { requiresTests: false });
    expect(asked().map(({ method, path, json }) => [method, path, json])).toEqual([
      ["PUT", `${ONE}/labels/production`, { version: 2 }],
      ["PUT", `${ONE}/labels/production`, { version: 2, requires_tests: false }],
    ]);
  });

  it("a repeated delete that finds nothing has succeeded, a first one has not", async () => {
    const gone = { status: 404, json: { error: "no recipe", code: "recipe_not_found" } };
    const { client, asked } = await engine(BUSY, gone, BUSY, gone, gone);
    expect(await client.recipes.delete("greet", { force: true })).toEqual({ name: "greet", success: true });
    expect(await client.recipes.unlabel("greet", "a")).toEqual({ name: "greet", label: "a", success: true });
    expect(await rejection(client.recipes.delete("greet"))).toBeInstanceOf(sdk.NotFoundError);
    expect(asked().map(({ path }) => path)).toEqual([
      `${ONE}?force=true`,
      `${ONE}?force=true`,
      `${ONE}/labels/a`,
      `${ONE}/labels/a`,
      ONE,
    ]);
  });

  it("two versions are compared", async () => {
    const { client, asked } = await engine({ json: { name: "greet", from: 1, to: 2, diff: "" } });
    expect((await client.recipes.diff("greet", 1, 2)).diff).toBe("");
    await client.recipes.diff("greet", 1);
    expect(asked().map(({ path }) => path)).toEqual([`${ONE}/diff?from=1&to=2`, `${ONE}/diff?from=1`]);
  });

  it.each<[string, (client: sdk.Arcrun) => Promise<unknown>]>([
    ["push", ({ recipes }) => recipes.push(TEXT)],
    ["get", ({ recipes }) => recipes.get("greet")],
    ["render", ({ recipes }) => recipes.render("greet")],
    ["test", ({ recipes }) => recipes.test("greet")],
    ["backtest", ({ recipes }) => recipes.backtest("greet")],
    ["label", ({ recipes }) => recipes.label("greet", "a", 1)],
    ["unlabel", ({ recipes }) => recipes.unlabel("greet", "a")],
    ["diff", ({ recipes }) => recipes.diff("greet", 1)],
    ["list", ({ recipes }) => recipes.list()],
    ["versions", ({ recipes }) => recipes.versions("greet")],
    ["delete", ({ recipes }) => recipes.delete("greet")],
  ])("%s takes no response that is not the contract's", async (_, call) => {
    const { client } = await engine({ json: { success: true } });
    expect(await rejection(call(client))).toBeInstanceOf(sdk.UnexpectedResponseError);
  });
});

describe("an engine", () => {
  const call = ({ recipes }: sdk.Arcrun) => recipes.push(TEXT);

  it("without prompt recipes gets no request", async () => {
    const served = await serve(() => ({ json: { ok: true, capabilities: ["idempotency_key"] } }));
    const client = clientOf(served);
    for (const send of [call, ({ recipes }: sdk.Arcrun) => recipes.list()])
      await expect(send(client)).rejects.toThrow(/this engine has no prompt recipes/);
    expect(served.requests.map(({ path }) => path)).toEqual(["/health"]);
  });

  it("that does not say what it can do is asked", async () => {
    const served = await serve(({ path }) => (path === "/health" ? { json: { ok: true } } : PUSHED));
    expect((await call(clientOf(served))).version).toBe(1);
    expect(served.requests[1]?.headers["x-arcrun-api-key"]).toBe(KEY);
  });
});
