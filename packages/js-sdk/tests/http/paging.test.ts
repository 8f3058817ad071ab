import { expect, it } from "vitest";
import * as sdk from "../../src/index.js";
import { clientOf, serve } from "../support.js";

/** An engine that serves each list in pages of two, with a cursor that has to be encoded. */
const paged = () =>
  serve(({ path }) => {
    if (path === "/health") return { json: { ok: true } }; // asked for what the engine can do
    const url = new URL(path, "http://engine");
    const start = Number(url.searchParams.get("cursor")?.replace("頁&", "") ?? 0);
    const names = ["a", "b", "c", "d", "e"].slice(start, start + 2);
    const next = start + 2 < 5 ? { next_cursor: `頁&${start + 2}` } : {};
    if (url.pathname.endsWith("/executions"))
      return { json: { ok: true, data: { executions: names.map((message) => ({ message })), ...next } } };
    const items = names.map((name) => ({ name, service: name }));
    const lists = ["recipes", "credentials", "workflows", "versions", "components", "results"];
    return { json: { ...Object.fromEntries(lists.map((list) => [list, items])), ...next } };
  });

it.each<[string, (client: sdk.Arcrun) => Promise<Record<string, unknown>[]>]>([
  ["auth.listServices", ({ auth }) => auth.listServices()],
  ["creds.list", ({ creds }) => creds.list()],
  ["workflows.list", ({ workflows }) => workflows.list()],
  ["workflows.executions", ({ workflows }) => workflows.executions("w")],
  ["recipes.list", ({ recipes }) => recipes.list()],
  ["recipes.versions", ({ recipes }) => recipes.versions("w")],
  ["components.list", ({ components }) => components.list()],
  ["components.search", ({ components }) => components.search("w")],
])("%s follows the pages to the end", async (_, list) => {
  const engine = await paged();
  const found = await list(clientOf(engine));
  expect(found.map(({ name, message }) => name ?? message)).toEqual(["a", "b", "c", "d", "e"]);
  const asked = engine.requests.filter(({ path }) => path !== "/health");
  const queries = asked.map(({ path }) => new URL(path, "http://engine").searchParams.get("cursor"));
  expect(queries).toEqual([null, "頁&2", "頁&4"]);
});

it("executions with a limit are one request", async () => {
  const engine = await paged();
  expect(await clientOf(engine).workflows.executions("w", { limit: 2 })).toHaveLength(2);
  expect(engine.requests.map(({ path }) => path)).toEqual(["/workflows/w/executions?limit=2"]);
});

it("a page that comes again ends the list with an error", async () => {
  const engine = await serve(() => ({ json: { credentials: [{ name: "a" }], next_cursor: "x" } }));
  await expect(clientOf(engine).creds.list()).rejects.toThrow(sdk.UnexpectedResponseError);
  expect(engine.requests).toHaveLength(2);
});

it.each([5, 0, false, {}, ["a"], "\ud800"])("a list is not cut at %j, which is no cursor", async (cursor) => {
  const engine = await serve(() => ({ json: { credentials: [{ name: "a" }], next_cursor: cursor } }));
  await expect(clientOf(engine).creds.list()).rejects.toThrow(sdk.UnexpectedResponseError);
  expect(engine.requests).toHaveLength(1);
});

it.each(["", null])("%j ends a list", async (cursor) => {
  const engine = await serve(() => ({ json: { credentials: [{ name: "a" }], next_cursor: cursor } }));
  expect(await clientOf(engine).creds.list()).toEqual([{ name: "a" }]);
});

it.each([null, 1, "a", true, [[]]])("%j is no entry of a list", async (item) => {
  const engine = await serve(() => ({ json: { credentials: [{ name: "a" }, item] } }));
  await expect(clientOf(engine).creds.list()).rejects.toThrow(sdk.UnexpectedResponseError);
});
