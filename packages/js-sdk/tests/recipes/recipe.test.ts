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
        oauth2: { token_endpoint: "https://x.example", client_id: "{{ secret.id }}", client_secret: 5 },
      },
      { query: { store: "{{secret.store}}", n: 1 } },
    );
    expect(recipe.keysUsed).toEqual(["store", "id", "demo_refresh_token"]);
  });

  it("include the refresh token that the oauth2 section names", () => {
    const recipe = demo({
      primitive: "oauth2",
      required_secrets: [...keys("other_refresh_token"), { key: "renewal", optional: true }],
      oauth2: { token_endpoint: "https://x.example", client_id: "id", refresh_token: "{{secret.renewal}}" },
    });
    expect([recipe.grant?.key, recipe.keysUsed]).toEqual(["renewal", ["renewal"]]);
    expect(recipe.optionalKeys).toEqual([]); // a bound client can't do without it
  });

  it("include the key file of a service account, the first required secret", () => {
    const required_secrets = [{ key: "hint", optional: true }, ...keys("key_file", "unused")];
    const token_exchange = { endpoint: "https://x.example" };
    const recipe = demo({ primitive: "service_account", required_secrets, token_exchange });
    expect([recipe.optionalKeys, recipe.keysUsed]).toEqual([["hint"], ["key_file"]]);
  });
});

describe("the grant of a recipe", () => {
  const more = {
    required_secrets: keys("key_file", "demo_refresh_token"),
    oauth2: { token_endpoint: "https://x.example/oauth2", client_id: "id", scopes: ["a"] },
    token_exchange: { endpoint: "https://x.example/exchange", scopes: ["b", 5] },
  };

  it.each([
    ["static_key", undefined],
    ["mtls", undefined],
    ["oauth2", { endpoint: "https://x.example/oauth2", scopes: ["a"], key: "demo_refresh_token" }],
    ["service_account", { endpoint: "https://x.example/exchange", scopes: ["b"], key: "key_file" }],
  ])("of the primitive %s is %j", (primitive, grant) => {
    const found = demo({ ...more, primitive }).grant;
    expect(found && { endpoint: found.endpoint, scopes: found.scopes, key: found.key }).toEqual(grant);
  });

  it.each([
    ["oauth2", { oauth2: { token_endpoint: "https://x.example" } }, /lacks oauth2\.client_id/],
    ["oauth2", { required_secrets: keys("key_file") }, /a required secret whose key ends in refresh_token/],
    ["oauth2", { oauth2: { client_id: "id" } }, /has no token endpoint/],
    ["service_account", { token_exchange: null }, /has no token endpoint/],
    ["service_account", { required_secrets: [] }, /has no required secret/],
  ])("of the primitive %s is refused if it is incomplete: %j", (primitive, change, message) => {
    expect(() => demo({ ...more, primitive, ...change })).toThrow(message);
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
    const error = await rejection(
      clientOf(await engineOf(recipe)).auth.setup<string>("demo", { demo_token: "x" }),
    );
    expect(error).toBeInstanceOf(sdk.UnexpectedResponseError);
  });

  it.each(["Host", "content-length", "Transfer-Encoding", "x y"])(
    "may not inject the header %j",
    async (name) => {
      const engine = await engineOf(
        recipeOf("demo", "https://x.example", { header: { [name]: "{{secret.demo_token}}" } }),
      );
      await expect(clientOf(engine).auth.setup<string>("demo", { demo_token: "x" })).rejects.toThrow(
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
      const error = await rejection(
        auth.setup<string>("demo", { demo_token: "x" }).then(() => auth.bind<string>("demo")),
      );
      expect(error).toBeInstanceOf(sdk.ArcrunError);
      expect(["UnexpectedResponseError", "MissingSecretError"]).toContain(error.name);
    },
  );

  it("of an unsupported primitive is refused", async () => {
    const engine = await engineOf(recipeOf("demo", "https://x.example", {}, { primitive: "mtls" }));
    await expect(clientOf(engine).auth.bind<string>("demo")).rejects.toThrow("'demo' signs in by 'mtls'");
  });

  it("with several secrets has no one token", async () => {
    const inject = { header: { Authorization: "Basic {{secret.demo_token}}:{{secret.demo_other}}" } };
    const more = { required_secrets: [{ key: "demo_token" }, { key: "demo_other" }] };
    const { auth } = clientOf(await engineOf(recipeOf("demo", "https://x.example", inject, more)));
    await auth.setup<string>("demo", { demo_token: "a", demo_other: "b" });
    await expect(auth.getToken<string>("demo")).rejects.toThrow(/with 2 secrets \(demo_token, demo_other\)/);
  });
});
