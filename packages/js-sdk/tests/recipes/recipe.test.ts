import { describe, expect, it } from "vitest";
import * as sdk from "../../src/index.js";
import { Template } from "../../src/recipes/placeholders.js";
import { parseInject, parseRecipe, type Recipe } from "../../src/recipes/recipe.js";
import { clientOf, engineOf, recipeOf, rejection } from "../support.js";

const demo = (more: object = {}, inject: object = {}): Recipe =>
  parseRecipe(recipeOf("demo", "https://x.example", inject, more) as Record<string, unknown>, "demo");
const keys = (...names: string[]) => names.map((key) => ({ key }));

describe("the secrets that a recipe uses", () => {
  it("are those in its base URL, its inject and its oauth2 section, each once", () => {
    const recipe = demo(
      {
        primitive: "oauth2",
        base_url: "https://{{secret.store}}.example",
        required_secrets: keys("store", "id", "demo_refresh_token", "unused"),
        oauth2: { client_id: "{{ secret.id }}", client_secret: 5 },
      },
      { query: { store: "{{secret.store}}", n: 1 } },
    );
    expect(recipe.keysUsed).toEqual(["store", "id", "demo_refresh_token"]);
    expect(recipe.refreshKey).toBe("demo_refresh_token");
  });

  it("include the refresh token that the oauth2 section names", () => {
    const recipe = demo({
      primitive: "oauth2",
      required_secrets: keys("other_refresh_token", "renewal"),
      oauth2: { refresh_token: "{{secret.renewal}}" },
    });
    expect([recipe.refreshKey, recipe.keysUsed]).toEqual(["renewal", ["renewal"]]);
  });

  it("include the key file of a service account, the first required secret", () => {
    const required_secrets = [{ key: "hint", optional: true }, ...keys("key_file", "unused")];
    const recipe = demo({ primitive: "service_account", required_secrets });
    expect([recipe.optionalKeys, recipe.requiredKeys]).toEqual([["hint"], ["key_file", "unused"]]);
    expect(recipe.keysUsed).toEqual(["key_file"]);
  });
});

describe("the token endpoint of a recipe", () => {
  const more = {
    oauth2: { token_endpoint: "https://x.example/oauth2", scopes: ["a"] },
    token_exchange: { endpoint: "https://x.example/exchange", scopes: ["b", 5] },
  };

  it.each([
    ["static_key", undefined, ["b"]],
    ["mtls", undefined, ["b"]],
    ["oauth2", "https://x.example/oauth2", ["a"]],
    ["service_account", "https://x.example/exchange", ["b"]],
  ])("of the primitive %s is %s", (primitive, endpoint, scopes) => {
    const recipe = demo({ ...more, primitive });
    expect([recipe.tokenEndpoint(), recipe.scopes]).toEqual([endpoint, scopes]);
  });
});

describe("what a recipe injects", () => {
  const inject = {
    header: { "X-A": "{{secret.a}}", "X-B": "{{secret.b}}", "X-Version": "1" },
    body: { pair: "{{secret.a}} {{secret.b}}", n: 1, list: ["{{secret.a}}"] },
  };

  it("are templates where text has placeholders, and constants elsewhere", () => {
    const { header, body } = parseInject(inject);
    expect(header?.["X-A"]).toBeInstanceOf(Template);
    expect(header?.["X-Version"]).toBe("1");
    expect(body).toMatchObject({ n: 1, list: ["{{secret.a}}"] });
  });

  it("leaves out what needs a secret that was not given", () => {
    const { header, body } = demo({}, inject).injected(new Map([["a", () => "x"]]));
    expect(Object.keys({ ...header, ...body })).toEqual(["X-A", "X-Version", "n", "list"]);
  });
});

describe("a recipe of the engine", () => {
  it.each([
    ["of another service", { ...recipeOf("other", "https://x.example", {}) }],
    ["without base_url", { service: "demo", required_secrets: [] }],
    ["whose secrets are not a list", recipeOf("demo", "https://x.example", {}, { required_secrets: {} })],
    ["whose inject is a list", recipeOf("demo", "https://x.example", [])],
    ["whose inject has texts", recipeOf("demo", "https://x.example", { header: "x" })],
  ])("%s is refused", async (_, recipe) => {
    const error = await rejection(clientOf(await engineOf(recipe)).auth.setup("demo", { demo_token: "x" }));
    expect(error).toBeInstanceOf(sdk.UnexpectedResponseError);
  });

  it.each(["Host", "content-length", "Transfer-Encoding", "x y"])(
    "may not inject the header %j",
    async (name) => {
      const engine = await engineOf(
        recipeOf("demo", "https://x.example", { header: { [name]: "{{secret.demo_token}}" } }),
      );
      await expect(clientOf(engine).auth.setup("demo", { demo_token: "x" })).rejects.toThrow(
        /sets a header that a recipe may not set/,
      );
    },
  );

  it.each(["{{secret.other}}", "{{env.PATH}}", "{{runtime.other}}", "{{secret.constructor}}"])(
    "may not hold %j",
    async (template) => {
      const engine = await engineOf(
        recipeOf("demo", "https://x.example", { header: { "X-A": `a ${template}` } }),
      );
      const { auth } = clientOf(engine);
      const error = await rejection(auth.setup("demo", { demo_token: "x" }).then(() => auth.bind("demo")));
      expect(error).toBeInstanceOf(sdk.ArcrunError);
      expect(["UnexpectedResponseError", "MissingSecretError"]).toContain(error.name);
    },
  );

  it("of an unsupported primitive is refused", async () => {
    const engine = await engineOf(recipeOf("demo", "https://x.example", {}, { primitive: "mtls" }));
    await expect(clientOf(engine).auth.bind("demo")).rejects.toThrow("'demo' signs in by 'mtls'");
  });

  it("with several secrets has no one token", async () => {
    const inject = { header: { Authorization: "Basic {{secret.demo_token}}:{{secret.demo_other}}" } };
    const more = { required_secrets: [{ key: "demo_token" }, { key: "demo_other" }] };
    const { auth } = clientOf(await engineOf(recipeOf("demo", "https://x.example", inject, more)));
    await auth.setup("demo", { demo_token: "a", demo_other: "b" });
    await expect(auth.getToken("demo")).rejects.toThrow(/with 2 secrets \(demo_token, demo_other\)/);
  });
});
