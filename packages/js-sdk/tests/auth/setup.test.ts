import { describe, expect, it } from "vitest";
import * as sdk from "../../src/index.js";
import { clientOf, engineOf, inspections, inTurn, NOTION, recipeOf, rejection, serve } from "../support.js";

const SECRET = "canary-0123-secret";

describe("setup", () => {
  it("stores each secret sealed, under its key and for its service", async () => {
    const engine = await engineOf(NOTION);
    const client = clientOf(engine);
    const result = await client.auth.setup("notion", { notion_token: SECRET });
    expect(result).toEqual({ service: "notion", account: null, stored: ["notion_token"] });
    expect(engine.requests[1]?.json).toEqual({
      name: "notion_token",
      encrypted: expect.any(String),
      iv: expect.any(String),
      service: "notion",
    });
    expect(JSON.stringify(engine.requests)).not.toContain(SECRET);
    expect(inspections(client)).not.toContain(SECRET);
  });

  it("keeps accounts apart", async () => {
    const engine = await engineOf(NOTION);
    const { auth } = clientOf(engine);
    const result = await auth.setup("notion", { notion_token: SECRET }, { account: "work" });
    expect(result).toEqual({ service: "notion", account: "work", stored: ["notion_token__work"] });
    expect(await auth.getToken("notion", { account: "work" })).toBe(SECRET);
    await expect(auth.getToken("notion")).rejects.toThrow(sdk.MissingSecretError);
  });

  it.each([
    [{}, /also needs: notion_token \(https:\/\/example.com\/help\)/],
    [
      { notion_token: SECRET, notion_tokn: "x" },
      /takes no secret 'notion_tokn'; did you mean 'notion_token'\?/,
    ],
    [{ "canary-0123-secret": "notion_token" }, /a text of 18 characters is not a valid credential name/],
    [
      { canary_0123_secret: "notion_token" },
      /^auth.setup\('notion'\): a key stands where its secret should be/,
    ],
    [{ notion_token: "" }, /notion_token must be non-empty text/],
    [{ notion_token: 5 }, /notion_token must be non-empty text/],
    [{ notion_token: `${SECRET}\n` }, /the header Authorization has a line break/],
    [{ notion_token: "\ud800" }, /must be non-empty text/],
  ])("refuses %j before anything is stored", async (secrets, message) => {
    const engine = await engineOf(NOTION);
    const error = await rejection(clientOf(engine).auth.setup("notion", secrets as never));
    expect(error).toBeInstanceOf(sdk.InvalidArgumentError);
    expect(error.message).toMatch(message);
    expect(inspections(error)).not.toContain(SECRET);
    expect(engine.requests.filter(({ method }) => method === "POST")).toHaveLength(0);
  });

  it("that fails half-way reports what was stored", async () => {
    const recipe = recipeOf(
      "twilio",
      "https://api.twilio.com",
      {},
      {
        required_secrets: [{ key: "twilio_account_sid" }, { key: "twilio_auth_token" }],
      },
    );
    const engine = await serve(({ path, json }) => {
      if (path !== "/credentials") return { json: { success: true, recipe } };
      if (json.name === "twilio_account_sid") return { json: { success: true, name: json.name } };
      return { status: 403, json: { error: "no more" } };
    });
    const setup = clientOf(engine).auth.setup("twilio", { twilio_account_sid: "a", twilio_auth_token: "b" });
    const error = await rejection(setup);
    expect(error).toBeInstanceOf(sdk.PermissionDeniedError);
    expect(error["stored"]).toEqual(["twilio_account_sid"]);
    expect(error.message).toContain(
      "stored before: twilio_account_sid. Call auth.setup('twilio') again to complete it",
    );
  });

  it("of an unknown service suggests the nearest one", async () => {
    const engine = await serve(inTurn({ status: 404, json: { error: "none", code: "service_not_found" } }));
    const error = await rejection(clientOf(engine).auth.setup<string>("notoin", { a: "b" }));
    expect(error).toBeInstanceOf(sdk.UnknownServiceError);
    expect(error.message).toMatch(
      /^there is no auth recipe for 'notoin'; did you mean 'notion'\? \(HTTP 404/,
    );
  });

  it.each(["Notion", "no tion", "", "../x"])("of the service %j is refused", async (service) => {
    await expect(new sdk.Arcrun().auth.setup(service, {})).rejects.toThrow(sdk.InvalidArgumentError);
  });
});
