import { describe, expect, it } from "vitest";
import type { APIStatusError } from "../../src/index.js";
import * as sdk from "../../src/index.js";
import { clientOf, inspections, inTurn, rejection, serve } from "../support.js";

const CLASSES: Record<string, unknown> = { ...sdk };

describe("an error response", () => {
  it.each([
    [400, "BadRequestError"],
    [401, "AuthenticationError"],
    [403, "PermissionDeniedError"],
    [404, "NotFoundError"],
    [409, "ConflictError"],
    [418, "APIStatusError"],
    [429, "RateLimitError"],
    [499, "APIStatusError"],
    [500, "ServerError"],
    [503, "ServerError"],
    [599, "ServerError"],
  ] as const)("with status %s becomes a %s that has everything the engine reports", async (status, name) => {
    const engine = await serve(
      inTurn({
        status,
        headers: { "x-request-id": "req-1" },
        json: {
          error: "不行",
          code: "some_code",
          requires: ["x"],
          details: [{ path: "graph.nodes[0]", message: "no type", suggestion: "Input" }],
          next_actions: ["try again"],
        },
      }),
    );
    const error = await rejection(clientOf(engine, { maxRetries: 0 }).creds.list());
    expect(error).toBeInstanceOf(CLASSES[name]);
    expect(error).toBeInstanceOf(sdk.APIStatusError);
    expect(error.name).toBe(name);
    expect(error).toMatchObject({
      status,
      code: "some_code",
      requestId: "req-1",
      engineMessage: "不行",
      requires: ["x"],
      nextActions: ["try again"],
    });
    expect(error.message).toBe(
      `不行 (HTTP ${status}, some_code, request req-1)\n  graph.nodes[0]: no type (Input)\n  → try again`,
    );
    expect(JSON.parse(error.body as string).code).toBe("some_code");
  });

  it.each([
    ["see the names: GET /webhooks/named", "see the names: client.workflows.list()"],
    ["GET /auth-recipes, or GET /credentials", "client.auth.listServices(), or client.creds.list()"],
    ["see GET /webhooks/named/a, GET /runs", "see GET /webhooks/named/a, GET /runs"],
  ])("shows the advice %j in words of the SDK", async (advice, shown) => {
    const engine = await serve(
      inTurn({ status: 404, json: { error: "x", code: "c", next_actions: [advice] } }),
    );
    const error = await rejection(clientOf(engine).creds.list());
    expect(error.message).toContain(`\n  → ${shown}`);
    expect(error["nextActions"]).toEqual([advice]);
  });

  it.each([
    [{ error: "字" }, "字"],
    [{ success: false, error: "字" }, "字"],
    [{ ok: false, error_code: "c", human_message: "字" }, "字"],
    [{ error: { message: "字" } }, "字"],
    [{ detail: "字" }, "字"],
    [{ valid: false, errors: ["字", "畫"] }, "字; 畫"],
    [[1], "the engine returned an error without a message"],
    [{ error: 5 }, "the engine returned an error without a message"],
  ])("of the shape %j gives its message", async (json, message) => {
    const engine = await serve(inTurn({ status: 400, json }));
    const error = (await rejection(clientOf(engine).creds.list())) as unknown as APIStatusError;
    expect(error.engineMessage).toBe(message);
  });

  it.each([
    ["Internal  Server\nError", "Internal Server Error"],
    ["x".repeat(300), "x".repeat(300)],
    ["x".repeat(301), `${"x".repeat(300)}…`],
    ["<html>gateway</html>", "the engine returned an error without a message"],
    ["", "the engine returned an error without a message"],
    ["長".repeat(400), `${"長".repeat(300)}…`],
  ])("in plain text: %j", async (text, message) => {
    const engine = await serve(inTurn({ status: 403, text, headers: { "content-type": "text/plain" } }));
    expect((await rejection(clientOf(engine).creds.list())).message).toBe(`${message} (HTTP 403)`);
  });

  it("whose request id repeats the key is blanked out", async () => {
    const engine = await serve(({ headers }) => ({
      status: 400,
      json: {},
      headers: { "x-request-id": `of ${headers["x-arcrun-api-key"]}` },
    }));
    const error = await rejection(clientOf(engine).creds.list());
    expect(error.requestId).toBe("of ***");
    expect(inspections(error)).not.toMatch(/0123456789abcdef/);
  });

  it("that repeats the key or a plain value is blanked out", async () => {
    const engine = await serve(({ headers, json }) => ({
      status: 400,
      json: { error: `bad: ${headers["x-arcrun-api-key"]} ${json?.value}` },
    }));
    const client = clientOf(engine, { credentialFormat: "plain" });
    const error = await rejection(client.creds.push("tok", "sk-密鑰-canary"));
    expect(error.message).toBe("bad: *** *** (HTTP 400)");
    expect(inspections(error) + error.body).not.toMatch(/canary|密鑰|0123456789abcdef/);
  });
});

describe("a response that no engine returns", () => {
  it.each([
    [
      "not JSON",
      { text: "<html>", headers: { "content-type": "text/html" } },
      /the response is not a JSON object \(HTTP 200\)/,
    ],
    ["a list", { json: [] }, /the response is not a JSON object \(HTTP 200\)/],
    ["another shape", { json: { success: true } }, /no field 'credentials' of type list/],
    [
      "a redirect",
      { status: 302, headers: { location: "https://elsewhere.example" } },
      /returned a redirect \(302\) to https:\/\/elsewhere.example, which the SDK does not follow/,
    ],
    [
      "the first status of a redirect",
      { status: 300 },
      /a redirect \(300\) to another path of the same host/,
    ],
    ["the last status of a redirect", { status: 399 }, /a redirect \(399\) to another path of the same host/],
  ])("%s is an UnexpectedResponseError", async (_, reply, message) => {
    const engine = await serve(inTurn(reply));
    const error = await rejection(clientOf(engine).creds.list());
    expect(error).toBeInstanceOf(sdk.UnexpectedResponseError);
    expect(error.message).toMatch(message);
    expect(engine.requests).toHaveLength(1);
  });
});

it("a text that almost says that a run is paused is read in time that grows with its length", async () => {
  const message = "workflow paused at node ".repeat(100_000);
  const engine = await serve(() => ({ status: 500, json: { success: false, error: message } }));
  const started = performance.now();
  await expect(clientOf(engine, { maxRetries: 0 }).workflows.run("w")).rejects.toThrow(sdk.WorkflowRunError);
  expect(performance.now() - started).toBeLessThan(5000); // minutes, if it were quadratic
});
