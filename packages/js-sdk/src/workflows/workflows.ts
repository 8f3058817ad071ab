/** `client.workflows`: workflows, pushed, listed and run. */

import { checkRetries } from "../core/config.js";
import { webCrypto } from "../core/crypto.js";
import { InvalidArgumentError } from "../core/errors.js";
import { checkWorkflow } from "../core/names.js";
import { checkOptions } from "../core/options.js";
import { objectOf } from "../core/shapes.js";
import type {
  CallOptions,
  DeletedWorkflow,
  Execution,
  Graph,
  PushedWorkflow,
  ResumedRun,
  RunResult,
  Workflow,
  WorkflowDocument,
  WorkflowSummary,
} from "../core/types.js";
import type { Connection } from "../http/connection.js";
import {
  deleteWorkflow,
  getWorkflow,
  listExecutions,
  listWorkflows,
  pushWorkflow,
  runWorkflow,
} from "../http/operations.js";
import { bodyOf } from "../http/request.js";
import { checkStrict, graphToPush, strictness } from "./graphs.js";
import { type ResumeOptions, resumeRun } from "./runs.js";

/** The options of `workflows.push`. */
export interface PushWorkflowOptions extends CallOptions {
  /** One sentence; left out, that of the document, else the name. */
  description?: string | undefined;
  /** Settings per node, over those of the document. */
  config?: Record<string, Record<string, unknown>> | undefined;
  /** Whether placeholders that point nowhere are errors, now and in each run; left out, as the document says. */
  strict?: boolean | undefined;
}

/** The options of `workflows.run`. */
export interface RunOptions extends CallOptions {
  /** Return as soon as the engine has accepted the run. */
  runAsync?: boolean | undefined;
  /** Let a placeholder without a value fail its node; otherwise `warnings` names it. */
  strict?: boolean | undefined;
  /** Recognizes this run, if it is sent again within a day: left out, the SDK makes one for each call. */
  idempotencyKey?: string | undefined;
}

/** The options of `workflows.executions`. */
export interface ExecutionsOptions extends CallOptions {
  /** The maximum number; left out, all of them. */
  limit?: number | undefined;
}

/** `client.workflows`: the workflows of your key. */
export class Workflows {
  /** @internal */
  constructor(private readonly connection: Connection) {}

  /**
   * Stores a workflow, or replaces it.
   *
   * @param name - Letters A-Z a-z, digits, `_` and `-`.
   * @param graph - A workflow document (`flow` and `config`, docs/workflow-language.md), which the engine
   *   compiles first, or a compiled graph (`nodes` and `edges`).
   * @throws {@link InvalidArgumentError} The document has an error that is found before it is stored.
   * @throws {@link BadRequestError} The engine found an error; `details` says where.
   *
   * @example
   * ```ts
   * const pushed = await client.workflows.push("shout", {
   *   description: "把文字變大寫",
   *   flow: ["input >> 完成後 >> 大寫"],
   *   config: { 大寫: { component: "comp_uppercase" } },
   * });
   * console.log(pushed.name); // shout
   * ```
   */
  async push(
    name: string,
    graph: WorkflowDocument | Graph,
    options: PushWorkflowOptions = {},
  ): Promise<PushedWorkflow> {
    const { connection } = this;
    checkOptions(options, "client.workflows.push", "description config strict");
    checkWorkflow(name);
    connection.key();
    const { config: given = {}, description = objectOf(graph)?.["description"] ?? name } = options;
    if (typeof description !== "string" || !description.trim())
      throw new InvalidArgumentError("description must be non-empty text");
    const strict = strictness(graph, options.strict);
    const [pushed, config] = await graphToPush(connection, name, graph, given, options);
    return connection.send(pushWorkflow(name, pushed, description, config, strict), options);
  }

  /**
   * Lists the workflows.
   *
   * @throws {@link APIStatusError} The engine responded with an error.
   *
   * @example
   * ```ts
   * const found = await client.workflows.list();
   * console.log(found.map((workflow) => workflow.name)); // [ 'shout' ]
   * ```
   */
  async list(options?: CallOptions): Promise<WorkflowSummary[]> {
    return this.connection.list(listWorkflows(), checkOptions(options, "client.workflows.list"));
  }

  /**
   * Returns a workflow's graph and config.
   *
   * @throws {@link NotFoundError} There is no workflow of this name.
   *
   * @example
   * ```ts
   * const workflow = await client.workflows.get("shout");
   * console.log(workflow.graph["name"]); // shout
   * ```
   */
  async get(name: string, options?: CallOptions): Promise<Workflow> {
    checkOptions(options, "client.workflows.get");
    return this.connection.send(getWorkflow(checkWorkflow(name)), options);
  }

  /**
   * Deletes a workflow.
   *
   * @throws {@link NotFoundError} There is no workflow of this name.
   *
   * @example
   * ```ts
   * const deleted = await client.workflows.delete("shout");
   * console.log(deleted.deleted); // true
   * ```
   */
  async delete(name: string, options?: CallOptions): Promise<DeletedWorkflow> {
    checkOptions(options, "client.workflows.delete");
    return this.connection.send(deleteWorkflow(checkWorkflow(name)), options);
  }

  /**
   * Runs a workflow and returns its result.
   *
   * A run is retried after a fault only if the engine recognizes retries (it is asked once).
   *
   * @param input - What the run starts with.
   * @typeParam T - What `data` is.
   * @throws {@link WorkflowRunError} The workflow failed; `failedNode` says where.
   * @throws {@link WorkflowPaused} The run waits for a callback.
   * @throws {@link NotFoundError} There is no workflow of this name.
   *
   * @example
   * ```ts
   * const run = await client.workflows.run("shout", { text: "hello 河道" });
   * console.log(run.data.text); // HELLO 河道
   * ```
   */
  // biome-ignore lint/suspicious/noExplicitAny: a run's data is defined by the workflow
  async run<T = any>(name: string, input?: object, options: RunOptions = {}): Promise<RunResult<T>> {
    const { connection } = this;
    checkOptions(options, "client.workflows.run", "runAsync idempotencyKey strict");
    checkWorkflow(name);
    const { runAsync, maxRetries = connection.maxRetries } = options;
    let { idempotencyKey } = options;
    if (idempotencyKey !== undefined && !/^[!-~]{1,128}$/.test(idempotencyKey))
      throw new InvalidArgumentError("idempotencyKey must be 1 to 128 visible ASCII characters");
    checkRetries(maxRetries); // before the engine is asked what it can do
    const request = runWorkflow(name, input, { runAsync, strict: checkStrict(options.strict) });
    bodyOf(request);
    connection.key();
    if (runAsync && (await connection.has("durable_runs", options)) === false)
      throw new InvalidArgumentError(
        "this engine cannot run a workflow in the background (it lists no durable_runs): leave runAsync out",
      );
    const isRepeatable = maxRetries > 0 && (await connection.has("idempotency_key", options)) === true;
    if (isRepeatable) idempotencyKey ??= webCrypto().randomUUID();
    return connection.send<RunResult<T>>(
      {
        ...request,
        ...(idempotencyKey && { headers: { "Idempotency-Key": idempotencyKey } }),
        retryable: isRepeatable,
      },
      options,
    );
  }

  /**
   * Brings a paused run what it waits for, and returns how it went on. It is not retried.
   *
   * A task that no run waits for, or no more, is a `noop`.
   *
   * @param taskId - What the run waits for, as `WorkflowPaused` names it.
   * @param data - The result of the node that waits.
   * @throws {@link InvalidArgumentError} An argument is not valid, or the engine keeps no runs.
   *
   * @example
   * ```ts
   * const resumed = await client.workflows.resume("review-7", { approved: true });
   * console.log(resumed.noop); // true
   * ```
   */
  async resume(taskId: string, data?: unknown, options: ResumeOptions = {}): Promise<ResumedRun> {
    checkOptions(options, "client.workflows.resume", "success error");
    return resumeRun(this.connection, taskId, data, options);
  }

  /**
   * Lists a workflow's runs, latest first.
   *
   * @throws {@link NotFoundError} There is no workflow of this name.
   *
   * @example
   * ```ts
   * const runs = await client.workflows.executions("shout", { limit: 1 });
   * console.log(runs.map((run) => run.verdict)); // [ 'success' ]
   * ```
   */
  async executions(name: string, options: ExecutionsOptions = {}): Promise<Execution[]> {
    checkOptions(options, "client.workflows.executions", "limit");
    const request = listExecutions(checkWorkflow(name), options.limit);
    if (options.limit === undefined) return this.connection.list(request, options);
    return (await this.connection.send(request, options)).items;
  }
}
