import { describe, expect, it, vi } from "vitest";
import { seal } from "../../src/core/sealing.js";
import * as sdk from "../../src/index.js";
import { clientOf, KEY, NOTION, recipeOf, rejection, serve } from "../support.js";

const SECRET = "canary-0123-secret";

describe("a secret is found", () => {
  const engineWith = (envelope?: object) =>
    serve(({ path }) => {
      if (path.startsWith("/auth-recipes/")) return { json: { success: true, recipe: NOTION } };
      return envelope ? { json: envelope } : { status: 404, json: { error: "none" } };
    });

  it("by a sealed read, once", async () => {
    const sealed = await seal(
      () => KEY,
      "notion_token",
      () => SECRET,
    );
    const engine = await engineWith({ name: "notion_token", ...sealed });
    const { auth } = clientOf(engine);
    expect(await auth.getToken("notion")).toBe(SECRET);
    expect(await auth.getToken("notion")).toBe(SECRET);
    expect(engine.requests.map(({ path }) => path)).toEqual([
      "/auth-recipes/notion",
      "/credentials/notion_token",
    ]);
  });

  it.each(["bind", "getToken"] as const)("by auth.%s, which an error names", async (call) => {
    const engine = await serve(() => ({ text: "no JSON" }));
    const { auth } = clientOf(engine);
    expect((await rejection(auth[call]("notion") as Promise<unknown>)).message).toContain(
      `client.auth.${call}()`,
    );
  });

  it("in the environment, when the engine responds with something else", async () => {
    vi.stubEnv("ARCRUN_SECRET_NOTION_TOKEN", SECRET);
    const engine = await engineWith({ success: true, credentials: [], total: 0 });
    expect(await clientOf(engine).auth.getToken("notion")).toBe(SECRET);
  });

  it("and used only for the service that it was stored for", async () => {
    const recipe = recipeOf(
      "crm",
      "https://crm.example",
      { query: { a: "{{secret.crm_token}}", b: "{{secret.stripe_secret_key}}" } },
      { required_secrets: [{ key: "crm_token" }, { key: "stripe_secret_key" }] },
    );
    let owner: string | undefined;
    const engine = await serve(async ({ path }) => {
      if (path.startsWith("/auth-recipes/")) return { json: { success: true, recipe } };
      const name = path.split("/").at(-1) as string;
      const service = name === "crm_token" ? "crm" : owner;
      const sealed = await seal(
        () => KEY,
        name,
        () => SECRET,
      );
      return { json: { name, ...sealed, service } };
    });
    const options = { trustOrigin: "https://crm.example" };
    for (owner of ["stripe", undefined]) {
      const error = await rejection(
        clientOf(engine).auth.bind<string>("crm", { ...options, trustRecipe: true }),
      );
      expect(error).toBeInstanceOf(sdk.MissingSecretError);
      expect(error["missing"]).toEqual(["stripe_secret_key"]);
      expect(error.message).toContain(
        `asks for 'stripe_secret_key', which is stored ${owner ? "for 'stripe'" : "without a service"}: a secret serves its own service only`,
      );
    }
    owner = "crm";
    expect((await clientOf(engine).auth.bind<string>("crm", options)).baseUrl).toBe("https://crm.example");
  });

  it("nowhere: the error tells how to supply it", async () => {
    const error = await rejection(clientOf(await engineWith()).auth.bind("notion", { account: "work" }));
    expect(error).toBeInstanceOf(sdk.MissingSecretError);
    expect(error["missing"]).toEqual(["notion_token__work"]);
    expect(error.message).toBe(
      `'notion' needs notion_token__work: call client.auth.setup('notion', { notion_token: "…" }, { account: 'work' }), or set ARCRUN_SECRET_NOTION_TOKEN__WORK`,
    );
  });

  it("nowhere, and is optional: `bind` does without it, and `getToken` tells how to supply it", async () => {
    const recipe = recipeOf("crm", "https://crm.example", { header: { "X-Key": "{{secret.crm_token}}" } });
    Object.assign(recipe, { required_secrets: [{ key: "crm_token", optional: true }] });
    const engine = await serve(({ path }) =>
      path.startsWith("/auth-recipes/") ? { json: { success: true, recipe } } : { status: 404, json: {} },
    );
    const { auth } = clientOf(engine);
    await auth.bind<string>("crm", { trustOrigin: "https://crm.example" });
    const error = await rejection(auth.getToken<string>("crm"));
    expect(error).toBeInstanceOf(sdk.MissingSecretError);
    expect(error["missing"]).toEqual(["crm_token"]);
    expect(error.message).toBe(
      `'crm' needs crm_token: call client.auth.setup('crm', { crm_token: "…" }), or set ARCRUN_SECRET_CRM_TOKEN`,
    );
  });

  it("no more after a push of another value, or a deletion", async () => {
    const engine = await serve(({ method, path, json }) => {
      if (path.startsWith("/auth-recipes/")) return { json: { success: true, recipe: NOTION } };
      if (method === "GET") return { status: 404, json: {} };
      return { json: { success: true, name: json?.name ?? "notion_token" } };
    });
    const { auth, creds } = clientOf(engine);
    for (const change of [() => creds.push("notion_token", "new"), () => creds.delete("notion_token")]) {
      await auth.setup("notion", { notion_token: SECRET });
      await change();
      await expect(auth.getToken("notion")).rejects.toThrow(sdk.MissingSecretError);
    }
  });
});
