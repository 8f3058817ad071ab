import { describe, expect, it } from "vitest";
import * as sdk from "../../src/index.js";
import { clientOf, inspections, inTurn, rejection, serve } from "../support.js";

const PUSHED = { status: 201, json: { name: "wf", webhook_url: "/x", description: "d", created_at: 1 } };
const COMPILED = {
  cypher: {
    nodes: [
      { id: "input", type: "Input" },
      { id: "讀-書", type: "Component", data: { kept: 1 } },
    ],
    edges: [{ from: "input", to: "讀-書", type: "PIPE" }],
  },
  missing: [],
};

const compiling = (compiled: object = COMPILED) =>
  serve(({ path }) => (path === "/cypher/search" ? { json: compiled } : PUSHED));

describe("push", () => {
  it("names a compiled graph after the workflow", async () => {
    const engine = await serve(inTurn(PUSHED));
    const graph = { id: "other", name: "other", nodes: [{ id: "input", type: "Input" }], edges: [] };
    await clientOf(engine).workflows.push("wf", graph, { description: "一句話" });
    expect(engine.requests[0]?.json).toEqual({
      name: "wf",
      graph: { ...graph, id: "wf", name: "wf" },
      description: "一句話",
    });
    expect(graph.id).toBe("other");
  });

  it("has the engine compile a document, and adds the config", async () => {
    const engine = await compiling();
    const flow = ["input >> 完成後 >> 讀 書"];
    const config = { "讀 書": { component: "kbdb_get", page: "首頁" } };
    await clientOf(engine).workflows.push("wf", { description: "讀", flow, config });
    const [compile, push] = engine.requests;
    expect(compile?.json).toEqual({ triplets: flow, mode: "compile" });
    expect(compile?.headers).not.toHaveProperty("x-arcrun-api-key");
    expect(push?.json).toEqual({
      name: "wf",
      description: "讀",
      config,
      graph: {
        id: "wf",
        name: "wf",
        nodes: [
          { id: "input", type: "Input" },
          { id: "讀-書", type: "Component", componentId: "kbdb_get", data: { kept: 1, page: "首頁" } },
        ],
        edges: COMPILED.cypher.edges,
      },
    });
  });

  it("puts what a node and a document say about failures beside the parameters", async () => {
    const engine = await compiling();
    const said = {
      retry: { times: 2, on: [429] },
      on_failure: "stop",
      repeatable: true,
      on_failure_workflow: "notify",
      max_running: 3,
      when_full: "refuse",
      cron: { expr: "30 8 * * MON-FRI", timezone: "Asia/Taipei" },
    } as const;
    const fields = { retry: { times: 1 }, on_failure: "continue", repeatable: false, concurrency: 4 };
    const config = {
      input: { concurrency: 2 },
      "讀 書": { component: "kbdb_get", page: "首頁", timeout_seconds: 5, ...fields },
    };
    const flow = ["input >> 對每個 >> 讀 書"];
    await clientOf(engine).workflows.push("wf", { flow, config, timeout_seconds: 9, ...said });
    expect(engine.requests[1]?.json).toHaveProperty("graph", {
      id: "wf",
      name: "wf",
      timeout_seconds: 9,
      ...said,
      nodes: [
        { id: "input", type: "Input", concurrency: 2 },
        {
          ...{ id: "讀-書", type: "Component", componentId: "kbdb_get", data: { kept: 1, page: "首頁" } },
          timeout_seconds: 5,
          ...fields,
        },
      ],
      edges: COMPILED.cypher.edges,
    });
  });

  it("leaves a component the parameter that has such a name", async () => {
    const engine = await compiling();
    const config = { "讀 書": { component: "http_request", timeout_seconds: 5, repeatable: false } };
    await clientOf(engine).workflows.push("wf", { flow: ["input >> 完成後 >> 讀 書"], config });
    expect(engine.requests[1]?.json).toHaveProperty("graph.nodes.1", {
      ...{ id: "讀-書", type: "Component", componentId: "http_request", repeatable: false },
      data: { kept: 1, timeout_seconds: 5 },
    });
  });

  it("prefers the config option to the config of the document", async () => {
    const engine = await compiling();
    const document = { flow: ["a >> 完成後 >> b"], config: { "讀-書": { component: "old" } } };
    await clientOf(engine).workflows.push("wf", document, { config: { "讀-書": { component: "new" } } });
    expect(engine.requests[1]?.json.graph.nodes[1].componentId).toBe("new");
    expect(engine.requests[1]?.json.description).toBe("wf");
  });

  it("names the components that the engine does not know", async () => {
    const engine = await compiling({ ...COMPILED, missing: ["kbdb_gett", "foo"] });
    const push = clientOf(engine).workflows.push("wf", { flow: ["a >> b >> c"] });
    await expect(push).rejects.toThrow("workflow 'wf': the engine does not know kbdb_gett, foo");
    expect(engine.requests).toHaveLength(1);
  });

  it("refuses a config for a node of no line, and suggests the nearest node", async () => {
    const engine = await compiling();
    const push = clientOf(engine).workflows.push("wf", { flow: ["a >> b >> c"], config: { inptu: {} } });
    await expect(push).rejects.toThrow(
      "workflow 'wf': config names a node 'inptu' that is not in the flow; did you mean 'input'?",
    );
  });

  it.each([
    ["a text", "flow: []", /a workflow is a document/],
    ["a list", [], /a workflow is a document/],
    ["nothing", undefined, /a workflow is a document/],
    ["a graph without edges", { nodes: [] }, /a workflow is a document/],
    ["an empty flow", { flow: [] }, /flow must be a non-empty list of lines/],
    ["a flow of numbers", { flow: ["a >> b >> c", 5] }, /flow line 2 is not text/],
    ["a config that is a list", { flow: ["a"], config: [] }, /config must map each node/],
    ["settings that are text", { flow: ["a"], config: { 讀: "x" } }, /config of node '讀' must be an object/],
    [
      "an empty description",
      { flow: ["a >> b >> c"], description: " " },
      /description must be non-empty text/,
    ],
    [
      "a description of no length",
      { nodes: [], edges: [], description: "" },
      /description must be non-empty/,
    ],
  ])("refuses %s before anything is stored", async (_, graph, message) => {
    const engine = await compiling();
    const error = await rejection(clientOf(engine).workflows.push("wf", graph as never));
    expect(error).toBeInstanceOf(sdk.InvalidArgumentError);
    expect(error.message).toMatch(message);
    expect(engine.requests.filter(({ path }) => path === "/webhooks/named")).toHaveLength(0);
  });

  const GRAPH = { nodes: [], edges: [] };
  const DOCUMENT = { flow: ["input >> 完成後 >> 讀-書"] };
  it.each([
    [GRAPH, undefined, undefined],
    [GRAPH, true, true],
    [GRAPH, false, false],
    [{ ...GRAPH, strict: true }, undefined, undefined], // the graph itself says it
    [DOCUMENT, undefined, undefined],
    [{ ...DOCUMENT, strict: true }, undefined, true],
    [{ ...DOCUMENT, strict: true }, false, false],
  ])("of %j with the option strict: %j sends strict: %j", async (graph, strict, sent) => {
    const engine = await compiling();
    await clientOf(engine).workflows.push("wf", graph, { strict });
    expect(engine.requests.at(-1)?.json.strict).toBe(sent);
  });

  it.each([
    [GRAPH, "yes"],
    [{ ...DOCUMENT, strict: 1 }, undefined],
  ])("of %j with the option strict: %j is refused before anything is sent", async (graph, strict) => {
    const engine = await compiling();
    const push = clientOf(engine).workflows.push("wf", graph as never, { strict: strict as never });
    await expect(push).rejects.toThrow(/^strict must be true or false, not /);
    expect(engine.requests).toHaveLength(0);
  });

  it("refuses what cannot be written as JSON", async () => {
    const engine = await serve(inTurn(PUSHED));
    const graph = { nodes: [{ id: "a", data: { n: 1n } }], edges: [] };
    const push = clientOf(engine).workflows.push("wf", graph);
    await expect(push).rejects.toThrow(
      "client.workflows.push(): the input cannot be written as JSON: 'n' is 1, beyond what a number in JSON keeps exactly: write it as text",
    );
  });
});

describe("a name", () => {
  it.each(["", "a b", "a/b", "../x", "打招呼", "a\n", "a".repeat(129), undefined])(
    "%j is refused",
    async (name) => {
      const engine = await serve(inTurn(PUSHED));
      const { workflows } = clientOf(engine);
      for (const call of [
        workflows.push(name as string, { nodes: [], edges: [] }),
        workflows.get(name as string),
        workflows.delete(name as string),
        workflows.run(name as string),
        workflows.executions(name as string),
      ])
        await expect(call).rejects.toThrow(sdk.InvalidArgumentError);
      expect(engine.requests).toHaveLength(0);
    },
  );
});

describe("run", () => {
  it("starts with an input, or without one", async () => {
    const engine = await serve(inTurn({ json: { success: true, data: "好", duration_ms: 2 } }));
    const client = clientOf(engine, { maxRetries: 0 });
    expect(await client.workflows.run("wf", { 文: "字" })).toMatchObject({ data: "好" });
    await client.workflows.run("wf");
    expect(engine.requests.map(({ json }) => json)).toEqual([{ 文: "字" }, {}]);
  });

  it.each([
    [["durable_runs"], true],
    [undefined, true], // as the deployed engine, which lists nothing
    [null, true],
    [["idempotency_key"], false],
    [[], false],
  ])("with runAsync where the engine's capabilities are %j is sent: %s", async (capabilities, isSent) => {
    const engine = await serve(({ path }) =>
      path === "/health" ? { json: { ok: true, capabilities } } : { status: 202, json: { accepted: true } },
    );
    const run = clientOf(engine).workflows.run("wf", {}, { runAsync: true });
    if (isSent) expect((await run).accepted).toBe(true);
    else await expect(run).rejects.toThrow(/cannot run a workflow in the background/);
    expect(engine.requests.some(({ method }) => method === "POST")).toBe(isSent);
  });

  it("carries the idempotency key that the user gives, and is repeated only if the engine knows it", async () => {
    const engine = await serve(inTurn({ json: { ok: true, capabilities: [] } }, { status: 503 }));
    const run = clientOf(engine).workflows.run("wf", {}, { idempotencyKey: "order-7" });
    await expect(run).rejects.toThrow(sdk.ServerError);
    expect(engine.requests.map(({ path }) => path)).toEqual(["/health", "/webhooks/named/wf/trigger"]);
    expect(engine.requests[1]?.headers["idempotency-key"]).toBe("order-7");
    for (const idempotencyKey of ["a\nb", "k".repeat(129)]) {
      const bad = clientOf(engine).workflows.run("wf", {}, { idempotencyKey });
      await expect(bad).rejects.toThrow(sdk.InvalidArgumentError);
    }
  });

  it("returns once it is accepted, with runAsync", async () => {
    const engine = await serve(inTurn({ status: 202, json: { accepted: true, run_id: "r-1" } }));
    const run = await clientOf(engine, { maxRetries: 0 }).workflows.run("wf", {}, { runAsync: true });
    expect(run).toEqual({ accepted: true, run_id: "r-1" });
    expect(engine.requests.at(-1)?.path).toBe("/webhooks/named/wf/trigger?async=1");
  });

  it.each([
    [{ strict: true }, "?strict=true"],
    [{ strict: false }, ""],
    [{ strict: true, runAsync: true }, "?async=1&strict=true"],
  ])("with the options %j has the query '%s'", async (options, query) => {
    const engine = await serve(inTurn({ json: { success: true } }));
    await clientOf(engine, { maxRetries: 0 }).workflows.run("wf", {}, options);
    expect(engine.requests.at(-1)?.path).toBe(`/webhooks/named/wf/trigger${query}`);
  });

  it("refuses a strict that is neither true nor false", async () => {
    const engine = await serve(inTurn({ json: {} }));
    const run = clientOf(engine).workflows.run("wf", {}, { strict: "false" as never });
    await expect(run).rejects.toThrow("strict must be true or false, not false");
    expect(engine.requests).toHaveLength(0);
  });

  it.each(["text", [1], 5, null])("refuses the input %j", async (input) => {
    const engine = await serve(inTurn({ json: {} }));
    const run = clientOf(engine).workflows.run("wf", input as never);
    await expect(run).rejects.toThrow('input must be an object such as { text: "你好" }');
    expect(engine.requests).toHaveLength(0);
  });

  it("that fails names the node, and does not show its data", async () => {
    const json = {
      success: false,
      error: "Node 茶壺 failed: 418",
      code: "run_failed",
      duration_ms: 12,
      failed_node: "茶壺",
      failed_input: { order: "private-data" },
      trace: [
        { node: "input", status: "ok" },
        { node: "茶壺", status: "failed", error: "private-data" },
      ],
    };
    const engine = await serve(inTurn({ status: 500, json }));
    const error = await rejection(clientOf(engine, { maxRetries: 0 }).workflows.run("wf"));
    expect(error).toBeInstanceOf(sdk.WorkflowRunError);
    expect(error).toMatchObject({ failedNode: "茶壺", durationMs: 12, status: 500, code: "run_failed" });
    expect(error["failedInput"]).toEqual({ order: "private-data" });
    expect(error["trace"]).toEqual(json.trace);
    expect(error.message).toBe("the workflow failed: Node 茶壺 failed: 418 (HTTP 500, run_failed)");
    expect(`${error} ${error.stack} ${JSON.stringify(error)}`).not.toContain("private-data");
    const { inspect } = await import("node:util");
    expect(inspect(error)).not.toContain("private-data");
  });

  it("that fails names the node from the trace", async () => {
    const json = {
      success: false,
      error: "壞了",
      trace: [
        { node: "甲", error: "x" },
        { node: "乙", status: "skipped" },
      ],
    };
    const engine = await serve(inTurn({ status: 200, json }));
    const error = await rejection(clientOf(engine, { maxRetries: 0 }).workflows.run("wf"));
    expect(error).toMatchObject({ name: "WorkflowRunError", failedNode: "甲" });
    expect(error.message).toBe("the workflow failed at node '甲': 壞了 (HTTP 200)");
  });

  it.each([
    [
      "as deployed",
      500,
      { success: false, error: "workflow paused at node 等 簽核 waiting for task t-1" },
      { node: "等 簽核", taskId: "t-1" },
    ],
    [
      "as ours",
      202,
      { success: true, paused: true, task_id: "t-2", run_id: "r-2", paused_node_id: "等" },
      { node: "等", taskId: "t-2", runId: "r-2" },
    ],
  ] as const)("that waits is WorkflowPaused, %s", async (_, status, json, attributes) => {
    const engine = await serve(inTurn({ status, json }));
    const error = await rejection(clientOf(engine, { maxRetries: 0 }).workflows.run("wf"));
    expect(error).toBeInstanceOf(sdk.WorkflowPaused);
    expect(error).toMatchObject(attributes);
    expect(error.message).toContain(
      `client.request("POST", "/workflows/resume", { body: { task_id: "${attributes.taskId}" } }) resumes it`,
    );
  });
});

it("lists, gets and deletes", async () => {
  const engine = await serve(({ method, path }) => {
    if (path === "/webhooks/named") return { json: { workflows: [{ name: "wf" }], total: 1 } };
    if (method === "DELETE") return { json: { deleted: true, name: "wf" } };
    return { json: { name: "wf", graph: { nodes: [], edges: [] }, config: null } };
  });
  const { workflows } = clientOf(engine);
  expect(await workflows.list()).toEqual([{ name: "wf" }]);
  expect((await workflows.get("wf")).graph.nodes).toEqual([]);
  expect(await workflows.delete("wf")).toEqual({ deleted: true, name: "wf" });
  expect(engine.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
    "GET /webhooks/named",
    "GET /webhooks/named/wf/definition",
    "DELETE /webhooks/named/wf",
  ]);
});

it("lists as many executions as the limit allows", async () => {
  const executions = [{ verdict: "success", duration_ms: 3 }];
  const engine = await serve(
    inTurn({ json: { ok: true, data: { workflow_name: "wf", count: 1, executions } } }),
  );
  const { workflows } = clientOf(engine);
  expect(await workflows.executions("wf", { limit: 1 })).toEqual(executions);
  await workflows.executions("wf");
  expect(engine.requests.map(({ path }) => path)).toEqual([
    "/workflows/wf/executions?limit=1",
    "/workflows/wf/executions",
  ]);
  for (const limit of [0, -1, 1.5, true as unknown as number])
    await expect(workflows.executions("wf", { limit })).rejects.toThrow(
      /limit must be a whole number of at least 1/,
    );
});

it("shows nothing of a run in the client", () => {
  expect(inspections(new sdk.Arcrun().workflows)).toContain("Workflows");
});
