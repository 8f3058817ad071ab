import { expect, it } from "vitest";
import * as sdk from "../../src/index.js";
import { clientOf, KEY, rejection, serve } from "../support.js";

const COMPONENT = { canonical_id: "if_control", branches: ["true", "false"] };
const HEALTH = { json: { ok: true, capabilities: ["components"] } };

it("the catalog is read without the key", async () => {
  const engine = await serve(({ path }) => {
    if (path === "/health") return HEALTH;
    return { json: path === "/components" ? { components: [COMPONENT] } : { component: COMPONENT } };
  });
  const { components } = clientOf(engine);
  expect(await components.list()).toEqual([COMPONENT]);
  expect(await components.get("if_control")).toEqual(COMPONENT);
  expect(engine.requests.map(({ path }) => path)).toEqual([
    "/health",
    "/components",
    "/components/if_control",
  ]);
  for (const { headers } of engine.requests) expect(headers).not.toHaveProperty("x-arcrun-api-key");
});

it("a search sends the key and follows its pages", async () => {
  const [one, two] = ["a", "b"].map((canonical_id) => ({ kind: "component", canonical_id }));
  const engine = await serve(({ path }) => {
    if (path === "/health") return HEALTH;
    return { json: path.includes("cursor") ? { results: [two] } : { results: [one], next_cursor: "x&y" } };
  });
  expect(await clientOf(engine).components.search("知識庫 & q=1")).toEqual([one, two]);
  const asked = engine.requests.filter(({ path }) => path !== "/health");
  const queries = asked.map(({ path }) => Object.fromEntries(new URL(path, "http://engine").searchParams));
  expect(queries).toEqual([{ q: "知識庫 & q=1" }, { q: "知識庫 & q=1", cursor: "x&y" }]);
  for (const { headers } of asked) expect(headers["x-arcrun-api-key"]).toBe(KEY);
});

it.each<[string, (client: sdk.Arcrun) => Promise<unknown>]>([
  ["an empty query", ({ components }) => components.search("")],
  ["a long query", ({ components }) => components.search("a".repeat(201))],
  ["half a surrogate pair", ({ components }) => components.search("\ud800")],
  ["a query that is no text", ({ components }) => components.search(5 as never)],
  ["an empty id", ({ components }) => components.get("")],
  ["an id with a slash", ({ components }) => components.get("a/b")],
  ["a long id", ({ components }) => components.get("a".repeat(129))],
])("%s is refused before a request", async (_, call) => {
  const engine = await serve(() => HEALTH);
  expect(await rejection(call(clientOf(engine)))).toBeInstanceOf(sdk.InvalidArgumentError);
  expect(engine.requests).toEqual([]);
});

it("200 characters are no more for lying outside of the first plane", async () => {
  const engine = await serve(({ path }) => (path === "/health" ? HEALTH : { json: { results: [] } }));
  expect(await clientOf(engine).components.search("\u{20000}".repeat(200))).toEqual([]);
});

it("an engine without a catalog gets no request", async () => {
  const engine = await serve(() => ({ json: { ok: true, capabilities: [] } }));
  const { components } = clientOf(engine);
  for (const call of [components.list(), components.get("set"), components.search("set")])
    await expect(call).rejects.toThrow(/this engine has no catalog of components/);
  expect(engine.requests.every(({ path }) => path === "/health")).toBe(true);
});
