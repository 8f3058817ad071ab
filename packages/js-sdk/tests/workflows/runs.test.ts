import { expect, it } from "vitest";
import * as sdk from "../../src/index.js";
import { clientOf, rejection, serve } from "../support.js";

const RUN = "0123456789abcdef".repeat(2);
const STATE = { run_id: RUN, status: "running" };
const HEALTH = { json: { ok: true, capabilities: ["durable_runs"] } };

/** Starts an engine that responds to what is asked after its health. */
const keeping = (json: unknown) => serve(({ path }) => (path === "/health" ? HEALTH : { json }));

it("a run is read, cancelled and run again", async () => {
  const engine = await keeping({ ...STATE, accepted: true });
  const { runs } = clientOf(engine);
  expect((await runs.get(RUN)).status).toBe("running");
  expect((await runs.cancel(RUN)).run_id).toBe(RUN);
  expect((await runs.retry(RUN, { start: "讀", latest: true })).accepted).toBe(true);
  expect((await runs.retry(RUN)).accepted).toBe(true);
  const sent = engine.requests.filter(({ path }) => path !== "/health");
  expect(sent.map(({ method, path }) => `${method} ${path}`)).toEqual([
    `GET /runs/${RUN}`,
    `POST /runs/${RUN}/cancel`,
    `POST /runs/${RUN}/retry`,
    `POST /runs/${RUN}/retry`,
  ]);
  expect(sent.slice(1).map(({ json }) => json)).toEqual([{}, { from: "讀", latest: true }, {}]);
});

it("the list follows its pages with its filters", async () => {
  const engine = await serve(({ path }) => {
    if (path === "/health") return HEALTH;
    return { json: path.includes("cursor") ? { runs: [STATE] } : { runs: [STATE], next_cursor: "x&y" } };
  });
  const found = await clientOf(engine).runs.list({ workflow: "greet", status: "paused" });
  expect(found).toEqual([STATE, STATE]);
  expect(engine.requests.map(({ path }) => path).slice(1)).toEqual([
    "/runs?workflow=greet&status=paused",
    "/runs?workflow=greet&status=paused&cursor=x%26y",
  ]);
});

it.each<[unknown, sdk.ResumeOptions, object]>([
  [undefined, {}, { task_id: "審核", success: true }],
  [{ a: 1 }, {}, { task_id: "審核", success: true, data: { a: 1 } }],
  [undefined, { success: false, error: "退回" }, { task_id: "審核", success: false, error: "退回" }],
  [undefined, { error: "退回" }, { task_id: "審核", success: false, error: "退回" }],
])("a paused run is brought %j with %j", async (data, options, body) => {
  const engine = await keeping({ success: false, resumed: true, status: "failed" });
  const resumed = await clientOf(engine).workflows.resume("審核", data, options);
  expect(resumed).toEqual({ success: false, resumed: true, status: "failed" });
  const [sent] = engine.requests.filter(({ path }) => path === "/workflows/resume");
  expect(sent?.json).toEqual(body);
});

it.each<[string, (client: sdk.Arcrun) => Promise<unknown>]>([
  ["cancel", ({ runs }) => runs.cancel(RUN)],
  ["retry", ({ runs }) => runs.retry(RUN)],
  ["resume", ({ workflows }) => workflows.resume("t-1")],
])("%s is not retried", async (_, call) => {
  const engine = await serve(({ path }) =>
    path === "/health" ? HEALTH : { status: 503, json: { error: "busy" } },
  );
  expect(await rejection(call(clientOf(engine)))).toBeInstanceOf(sdk.ServerError);
  expect(engine.requests.filter(({ method }) => method === "POST")).toHaveLength(1);
});

const CALLS: [string, (client: sdk.Arcrun) => Promise<unknown>][] = [
  ["runs.get", ({ runs }) => runs.get(RUN)],
  ["runs.list", ({ runs }) => runs.list()],
  ["runs.cancel", ({ runs }) => runs.cancel(RUN)],
  ["runs.retry", ({ runs }) => runs.retry(RUN)],
  ["workflows.resume", ({ workflows }) => workflows.resume("t-1")],
];

it.each(CALLS)("%s sends nothing to an engine that keeps no runs", async (_, call) => {
  const engine = await serve(() => ({ json: { ok: true, capabilities: ["components"] } }));
  expect(await rejection(call(clientOf(engine)))).toMatchObject({
    message: expect.stringContaining("durable_runs"),
  });
  expect(engine.requests.map(({ path }) => path)).toEqual(["/health"]);
});

it.each<[string, (client: sdk.Arcrun) => Promise<unknown>]>([
  ["an id with a slash", ({ runs }) => runs.get("a/b")],
  ["a short id", ({ runs }) => runs.cancel("0".repeat(31))],
  ["an id in capitals", ({ runs }) => runs.retry("F".repeat(32))],
  ["an empty start", ({ runs }) => runs.retry(RUN, { start: "" })],
  ["a latest that is no boolean", ({ runs }) => runs.retry(RUN, { latest: 1 as never })],
  ["a workflow with a space", ({ runs }) => runs.list({ workflow: "a b" })],
  ["an unknown status", ({ runs }) => runs.list({ status: "done" as never })],
  ["an empty task", ({ workflows }) => workflows.resume("")],
  ["a long task", ({ workflows }) => workflows.resume("a".repeat(257))],
  ["a done task with an error", ({ workflows }) => workflows.resume("t", 1, { success: true, error: "退回" })],
  ["a success that is no boolean", ({ workflows }) => workflows.resume("t", 1, { success: "no" as never })],
])("%s is refused before a request", async (_, call) => {
  const engine = await serve(() => HEALTH);
  expect(await rejection(call(clientOf(engine)))).toBeInstanceOf(sdk.InvalidArgumentError);
  expect(engine.requests).toEqual([]);
});
