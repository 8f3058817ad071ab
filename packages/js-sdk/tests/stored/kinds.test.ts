import { describe, expect, it } from "vitest";
import * as sdk from "../../src/index.js";
import { clientOf, type Reply, rejection, serve } from "../support.js";

const RECORD = { canonical_id: "weather", hash_id: "rec_e5e72beb", display_name: "天氣" };
const VERSION = { id: "api_recipe:weather", name: "weather", version: 3, recipe: RECORD, message: "why" };

/** What a program without types may pass. */
const given = (value: unknown) => value as never;

/** An engine with these capabilities, which responds to requests in turn; `asked` has no requests for its health. */
async function engine(replies: Reply[], capabilities = ["prompt_recipes", "recipe_versions"]) {
  let next = 0;
  const served = await serve(({ path }) =>
    path === "/health" ? { json: { ok: true, capabilities } } : replies[Math.min(next++, replies.length - 1)],
  );
  const asked = () => served.requests.filter(({ path }) => path !== "/health");
  return { recipes: clientOf(served).recipes, served, asked };
}

describe("push", () => {
  it.each<[object, string, object]>([
    [
      { kind: "api_recipe", canonical_id: "weather", method: "GET" },
      "/recipes",
      { canonical_id: "weather", method: "GET" },
    ],
    [{ id: "api_recipe:weather" }, "/recipes", { canonical_id: "weather" }],
    [{ ...RECORD, kind: "api_recipe" }, "/recipes", { canonical_id: "weather", display_name: "天氣" }],
    [
      { kind: "auth_recipe", service: "own", version: 7 },
      "/auth-recipes",
      { kind: "auth_recipe", service: "own", version: 7 },
    ],
    [{ id: "auth_recipe:own", inject: {} }, "/auth-recipes", { service: "own", inject: {} }],
  ])("%j goes to its kind", async (recipe, path, body) => {
    const { recipes, asked } = await engine([{ json: { success: true, ...VERSION, warnings: [] } }]);
    const before = structuredClone(recipe);
    const pushed = await recipes.push(recipe, { message: "why", expectedVersion: 2 });
    expect(asked().map((request) => request.path)).toEqual([path]);
    expect(asked()[0]?.json).toEqual({ ...body, message: "why", expected_version: 2 });
    expect(asked()[0]?.headers["idempotency-key"]).toMatch(/^[!-~]{16,128}$/);
    expect(pushed).toEqual({ ...VERSION, warnings: [] });
    expect(recipe).toEqual(before);
  });

  it.each<[string | object]>([
    [{ name: "greet" }],
    [{ kind: "prompt_recipe", name: "greet" }],
    [{ id: "prompt_recipe:greet" }],
    [{ id: "greet" }],
    [{ kind: "other" }],
    ["id: auth_recipe:own"],
  ])("%j is a prompt recipe", async (recipe) => {
    const answer = { recipe: { name: "greet", version: 1 }, warnings: ["w"] };
    const { recipes, asked } = await engine([{ status: 201, json: answer }]);
    expect((await recipes.push(recipe)).warnings).toEqual(["w"]);
    expect(asked().map(({ path, json }) => [path, json])).toEqual([["/prompt-recipes", { recipe }]]);
  });

  it.each<[object]>([
    [{ kind: "api_recipe", id: "auth_recipe:own" }],
    [{ kind: "prompt_recipe", id: "auth_recipe:own" }],
    [{ id: "api_recipe:weather", canonical_id: "other" }],
    [{ kind: "api_recipe", id: "weather", canonical_id: "weather" }],
    [{ id: "api_recipe:weather@3" }],
    [{ id: "auth_recipe:Own" }],
  ])("%j says two things", async (recipe) => {
    const { recipes, served } = await engine([]);
    expect(await rejection(recipes.push(recipe))).toBeInstanceOf(sdk.InvalidArgumentError);
    expect(served.requests).toEqual([]);
  });
});

describe("the methods use the routes of the kind", () => {
  it.each<[string, string]>([
    ["auth_recipe:own", "/auth-recipes/own"],
    ["api_recipe:Weather-2", "/recipes/Weather-2"],
    ["prompt_recipe:greet", "/prompt-recipes/greet"],
    ["greet", "/prompt-recipes/greet"],
  ])("%s", async (name, path) => {
    const stored = { id: name, name: "n", version: 1, recipe: { a: 1 }, labels: {} };
    const json = path.startsWith("/prompt-recipes") ? { recipe: stored } : { success: true, ...stored };
    const label = { success: true, name: "n", label: "staging", version: 1 };
    const { recipes, asked } = await engine([
      ...[{ json }, { json }, { json }],
      { json: { versions: [{ version: 1 }] } },
      { json: { name: "n", diff: "d" } },
      ...[{ json: label }, { json: label }],
      { json: { success: true, name: "n" } },
    ]);
    expect(await recipes.get(name)).toEqual(stored);
    expect(await recipes.get(`${name}@staging`)).toEqual(stored);
    expect(await recipes.get(name, { version: 2 })).toEqual(stored);
    expect(await recipes.versions(name)).toEqual([{ version: 1 }]);
    expect((await recipes.diff(name, 1, 2)).diff).toBe("d");
    expect(await recipes.label(name, "staging", 1)).toEqual(label);
    expect(await recipes.unlabel(name, "staging")).toEqual(label);
    expect(await recipes.delete(name, { force: true })).toEqual({ success: true, name: "n" });
    expect(asked().map((request) => [request.method, request.path])).toEqual([
      ["GET", path],
      ["GET", `${path}?label=staging`],
      ["GET", `${path}?version=2`],
      ["GET", `${path}/versions`],
      ["GET", `${path}/diff?from=1&to=2`],
      ["PUT", `${path}/labels/staging`],
      ["DELETE", `${path}/labels/staging`],
      ["DELETE", `${path}?force=true`],
    ]);
  });

  it.each(["auth_recipe:own", "api_recipe:weather@1"])("but %s is no prompt", async (name) => {
    const { recipes, served } = await engine([]);
    for (const call of [recipes.render(name), recipes.test(name)])
      expect(await rejection(call)).toBeInstanceOf(sdk.InvalidArgumentError);
    expect(served.requests).toEqual([]);
  });
});

describe("list", () => {
  it.each<[sdk.RecipeKind, string, string]>([
    ["api_recipe", "/recipes", "canonical_id"],
    ["auth_recipe", "/auth-recipes", "service"],
  ])("of %s tells own recipes from shipped ones", async (kind, path, field) => {
    const { recipes, asked } = await engine([
      {
        json: {
          recipes: [{ [field]: "own", description: "d", version: 9 }, { [field]: "toString" }],
          versions: { own: 3 },
          next_cursor: "c",
        },
      },
      { json: { recipes: [{ [field]: "zz" }], versions: { zz: 1 } } },
    ]);
    expect(await recipes.list({ kind })).toEqual([
      { name: "own", version: 3, description: "d" },
      { name: "toString", version: 0, description: "", shipped: true },
      { name: "zz", version: 1, description: "" },
    ]);
    expect(asked().map((request) => request.path)).toEqual([path, `${path}?cursor=c`]);
  });

  it.each([["recipe"], [""], [null], [1]])("of %j is refused", async (kind) => {
    const { recipes, served } = await engine([]);
    const caught = await rejection(recipes.list({ kind: given(kind) }));
    expect(caught).toBeInstanceOf(sdk.InvalidArgumentError);
    expect(caught).toMatchObject({ message: expect.stringContaining("api_recipe, auth_recipe") });
    expect(served.requests).toEqual([]);
  });
});

it("an engine without versions of them gets no request", async () => {
  const { recipes, asked } = await engine([], ["prompt_recipes"]);
  for (const call of [
    recipes.push({ kind: "auth_recipe", service: "own" }),
    recipes.list({ kind: "api_recipe" }),
    recipes.get("auth_recipe:own"),
    recipes.delete("api_recipe:weather"),
  ])
    expect(await rejection(call)).toMatchObject({ message: expect.stringContaining("recipe_versions") });
  expect(asked()).toEqual([]);
});
