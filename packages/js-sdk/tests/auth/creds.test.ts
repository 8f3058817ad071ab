import { describe, expect, it, vi } from "vitest";
import * as sdk from "../../src/index.js";
import { clientOf, inTurn, rejection, serve } from "../support.js";

const SECRET = "canary-0123-secret";

describe("a credential", () => {
  it("is not pushed to an engine that takes plain values only; the error names the opt-in", async () => {
    const engine = await serve(inTurn({ status: 400, json: { error: "value 必填" } }));
    const error = await rejection(clientOf(engine).creds.push("tok", SECRET));
    expect(error).toBeInstanceOf(sdk.SealedCredentialsUnsupportedError);
    expect(error.message).toContain(
      'new Arcrun({ credentialFormat: "plain" }) or ARCRUN_CREDENTIAL_FORMAT=plain',
    );
    expect(engine.requests).toHaveLength(1);
  });

  it.each([
    ["sealed", 400, "name 不合法"],
    ["sealed", 400, "value is too long"],
    ["sealed", 409, "value 必填"],
    ["plain", 400, "value 必填"],
  ] as const)(
    "%s and refused otherwise (%i, %s) names no opt-in",
    async (credentialFormat, status, error) => {
      const engine = await serve(inTurn({ status, json: { error } }));
      const refused = await rejection(clientOf(engine, { credentialFormat }).creds.push("tok", SECRET));
      expect(refused).not.toBeInstanceOf(sdk.SealedCredentialsUnsupportedError);
      expect(refused).toMatchObject({ status, message: expect.stringContaining(error) });
      expect(refused.message).not.toContain("credentialFormat");
    },
  );

  it("is sent plain if the client is configured so", async () => {
    const engine = await serve(inTurn({ json: { success: true, name: "tok" } }));
    const client = clientOf(engine, { credentialFormat: "plain" });
    await client.creds.push("tok", SECRET, { service: "notion", sensitivity: "high" });
    expect(engine.requests[0]?.json).toEqual({
      name: "tok",
      value: SECRET,
      service: "notion",
      sensitivity: "high",
    });
  });

  it.each(["standard", "high"] as const)("of the sensitivity %s is pushed with it", async (sensitivity) => {
    const engine = await serve(inTurn({ json: { success: true, name: "tok" } }));
    await clientOf(engine).creds.push("tok", SECRET, { sensitivity });
    expect(engine.requests[0]?.json).toMatchObject({ name: "tok", sensitivity });
  });

  it("of another sensitivity is refused", async () => {
    const engine = await serve(inTurn({ json: { success: true, name: "tok" } }));
    const pushed = clientOf(engine).creds.push("tok", SECRET, { sensitivity: "low" as "high" });
    await expect(pushed).rejects.toThrow("sensitivity must be 'standard' or 'high', not 'low'");
    expect(engine.requests).toHaveLength(0);
  });

  it("for a service whose name is none is refused", async () => {
    const engine = await serve(inTurn({ json: { success: true, name: "tok" } }));
    const pushed = clientOf(engine).creds.push("tok", SECRET, { service: "No Service" });
    await expect(pushed).rejects.toThrow(sdk.InvalidArgumentError);
    expect(engine.requests).toHaveLength(0);
  });

  it.each(["", "a-b", "a b", "密鑰", "a\n", "catalog", "CATALOG", "a".repeat(129), 5])(
    "of the name %j is refused",
    async (name) => {
      const { creds } = new sdk.Arcrun();
      await expect(creds.push(name as string, "x")).rejects.toThrow(sdk.InvalidArgumentError);
      await expect(creds.delete(name as string)).rejects.toThrow(sdk.InvalidArgumentError);
    },
  );

  it.each(['"error": "bad %s"', '"error": "bad", "%s": 1', '"details": [{"message": "%s"}]'])(
    "that the engine repeats with needless escapes in {%s} is not shown",
    async (part) => {
      const escaped = [...SECRET].map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`).join("");
      const engine = await serve(inTurn({ status: 400, text: `{${part.replace("%s", escaped)}}` }));
      const client = clientOf(engine, { credentialFormat: "plain" });
      const error = await rejection(client.creds.push("tok", SECRET));
      expect(error).toBeInstanceOf(sdk.BadRequestError);
      expect(error.message).not.toContain(SECRET);
      expect(JSON.stringify(JSON.parse(error.body as string))).not.toContain(SECRET);
    },
  );

  it.each([SECRET, `${SECRET}密`, "canary_".padEnd(129, "x")])(
    "whose value is in the place of the name is refused without showing it: %s",
    async (value) => {
      const { auth, creds } = new sdk.Arcrun({ apiKey: "ak_weak" });
      for (const call of [
        () => creds.push(value, "github_token"),
        () => creds.delete(value),
        () => auth.setup("notion", { [value]: "github_token" } as never),
        () => auth.bind("notion", { account: value }),
      ]) {
        const error = await rejection(call());
        expect(error).toBeInstanceOf(sdk.InvalidArgumentError);
        expect(error.message).not.toContain("canary");
        expect(error.message).toContain(`a text of ${value.length} characters is not a valid`);
      }
    },
  );

  it("whose name differs in case only causes a warning", async () => {
    const warn = vi.spyOn(console, "warn").mockReturnValue();
    const engine = await serve(inTurn({ json: { success: true, name: "Tok" } }));
    const { creds } = clientOf(engine);
    await creds.push("Tok", SECRET);
    expect(warn).not.toHaveBeenCalled();
    await creds.push("tok", SECRET);
    expect(warn).toHaveBeenCalledExactlyOnceWith(
      expect.stringContaining("'tok' and 'Tok' differ only in case"),
    );
  });

  it.each([
    ["ak_0123456789abcdef0123456789abcdef", 0],
    ["ak_0123456789abcdef", 1],
    ["sk_0123456789abcdef0123456789abcdef", 1],
    ["ak_0123456789abcdef0123456789abcdeg", 1],
  ])("under the key %s warns %s times", async (apiKey, times) => {
    const warn = vi.spyOn(console, "warn").mockReturnValue();
    const engine = await serve(inTurn({ json: { success: true, name: "tok" } }));
    await clientOf(engine, { apiKey }).creds.push("tok", SECRET);
    expect(warn).toHaveBeenCalledTimes(times);
  });

  it("under a weak key causes one warning, without the key", async () => {
    const warn = vi.spyOn(console, "warn").mockReturnValue();
    const engine = await serve(inTurn({ json: { success: true, name: "tok" } }));
    const { creds } = clientOf(engine, { apiKey: "ak_weak-canary" });
    await creds.push("tok", SECRET);
    await creds.push("tok", SECRET);
    expect(warn).toHaveBeenCalledOnce();
    expect(warn.mock.calls[0]?.[0]).toMatch(/too weak to seal/);
    expect(warn.mock.calls[0]?.[0]).not.toContain("canary");
  });
});
