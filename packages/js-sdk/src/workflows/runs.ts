/** `client.runs`: runs that the engine has accepted, listed, read, cancelled and run again. */

import { InvalidArgumentError } from "../core/errors.js";
import { checkName, checkWorkflow } from "../core/names.js";
import { checkOptions } from "../core/options.js";
import { isUnicode } from "../core/shapes.js";
import type {
  AcceptedRun,
  CallOptions,
  ResumedRun,
  Run,
  RunEvent,
  RunStatus,
  RunSummary,
} from "../core/types.js";
import { type Connection, requireCapability } from "../http/connection.js";
import { pageIn, withField } from "../http/operations.js";
import { type ApiRequest, bodyOf } from "../http/request.js";
import { checkEventId, follow } from "./events.js";

const STATUSES = "queued running paused succeeded partial failed cancelled";
const LONGEST_TASK = 256;

/** The options of `runs.list`. */
export interface ListRunsOptions extends CallOptions {
  /** Only runs of this workflow. */
  workflow?: string | undefined;
  /** Only runs of this status. */
  status?: RunStatus | undefined;
}

/** The options of `runs.events`. */
export interface RunEventsOptions extends CallOptions {
  /** The id of the last event that is known; left out, all events are yielded. */
  after?: string | undefined;
}

/** The options of `runs.retry`. */
export interface RetryRunOptions extends CallOptions {
  /** The node from which on it is run again; what ran before is taken from the first run. */
  start?: string | undefined;
  /** Run the workflow as it is stored now. */
  latest?: boolean | undefined;
}

/** The options of `workflows.resume`. */
export interface ResumeOptions extends CallOptions {
  /** Whether the task was done; otherwise its node fails. Left out: it was, unless there is an `error`. */
  success?: boolean | undefined;
  /** Why it was not done. */
  error?: string | undefined;
}

/** `client.runs`: the runs that the engine has accepted, as with `runAsync`, or that have paused. */
export class Runs {
  /** @internal */
  constructor(private readonly connection: Connection) {}

  /**
   * Lists the runs, newest first.
   *
   * @throws {@link InvalidArgumentError} An option is not valid, or the engine keeps no runs.
   *
   * @example
   * ```ts
   * const paused = await client.runs.list({ status: "paused" });
   * console.log(paused.length); // 0
   * ```
   */
  async list(options: ListRunsOptions = {}): Promise<RunSummary[]> {
    checkOptions(options, "client.runs.list", "workflow status");
    const { workflow, status } = options;
    if (status !== undefined && !STATUSES.split(" ").includes(status))
      throw new InvalidArgumentError(`status must be one of ${STATUSES}`);
    const filters = [
      workflow !== undefined && `workflow=${checkWorkflow(workflow)}`,
      status && `status=${status}`,
    ].filter(Boolean);
    await requireRuns(this.connection, options);
    return this.connection.list(
      {
        call: "runs.list",
        method: "GET",
        path: `/runs${filters.length ? `?${filters.join("&")}` : ""}`,
        read: pageIn<RunSummary>("runs"),
      },
      options,
    );
  }

  /**
   * Returns a run: its status, its input, its data or error, and its trace.
   *
   * @param runId - The run's id, as `workflows.run` returns it with `runAsync`.
   * @throws {@link NotFoundError} There is no such run.
   * @throws {@link InvalidArgumentError} The id is not valid, or the engine keeps no runs.
   */
  async get(runId: string, options?: CallOptions): Promise<Run> {
    checkOptions(options, "client.runs.get");
    const path = runPath(runId);
    await requireRuns(this.connection, options);
    const read = withField<Run>("run_id", "text");
    return this.connection.send({ call: "runs.get", method: "GET", path, read }, options);
  }

  /**
   * Follows a run: yields what has become of it, then what becomes of it, up to its end.
   *
   * A connection that is lost is made again, and goes on after the last event; `maxRetries` counts those in a row that
   * bring none. It is closed when the loop is left, or `signal` is aborted. `timeout` counts for each wait.
   *
   * @throws {@link NotFoundError} There is no such run.
   * @throws {@link InvalidArgumentError} An option is not valid, or the engine keeps no runs.
   * @throws {@link APIConnectionError} The connection was lost, and could not be made again.
   *
   * @example
   * ```ts
   * await client.workflows.push("greet", {
   *   flow: ["input >> 完成後 >> 大寫"],
   *   config: { 大寫: { component: "comp_uppercase" } },
   * });
   * const { run_id = "" } = await client.workflows.run("greet", { text: "hello" }, { runAsync: true });
   * const statuses = [];
   * for await (const event of client.runs.events(run_id)) {
   *   if (event.type === "status") statuses.push(event.status);
   * }
   * console.log(statuses.join(", ")); // queued, running, succeeded
   * ```
   */
  events(runId: string, options: RunEventsOptions = {}): AsyncGenerator<RunEvent, void, undefined> {
    checkOptions(options, "client.runs.events", "after");
    checkEventId(options.after);
    const { connection } = this;
    return follow(connection, `${runPath(runId)}/events`, options.after, options, () =>
      requireRuns(connection, options),
    );
  }

  /**
   * Ends a run that has not ended, and returns it. It is not retried.
   *
   * @throws {@link NotFoundError} There is no such run.
   * @throws {@link ConflictError} It has ended.
   * @throws {@link InvalidArgumentError} The id is not valid, or the engine keeps no runs.
   */
  async cancel(runId: string, options?: CallOptions): Promise<Run> {
    checkOptions(options, "client.runs.cancel");
    const request = posting<Run>("runs.cancel", `${runPath(runId)}/cancel`, {}, "run_id");
    await requireRuns(this.connection, options);
    return this.connection.send(request, options);
  }

  /**
   * Runs again what an ended run has run, as a new run. It is not retried.
   *
   * @throws {@link NotFoundError} There is no such run.
   * @throws {@link ConflictError} It has not ended, or has no such node.
   * @throws {@link InvalidArgumentError} An option is not valid, or the engine keeps no runs.
   */
  async retry(runId: string, options: RetryRunOptions = {}): Promise<AcceptedRun> {
    checkOptions(options, "client.runs.retry", "start latest");
    const { start, latest = false } = options;
    if (start !== undefined && (!isUnicode(start) || !start))
      throw new InvalidArgumentError("start must be the id of a node");
    checkBoolean(latest, "latest");
    const body = { ...(start !== undefined && { from: start }), ...(latest && { latest }) };
    const request = posting<AcceptedRun>("runs.retry", `${runPath(runId)}/retry`, body, "run_id");
    await requireRuns(this.connection, options);
    return this.connection.send(request, options);
  }
}

/** Brings a paused run what it waits for: `POST /workflows/resume`. */
export async function resumeRun(
  connection: Connection,
  taskId: string,
  data: unknown,
  options: ResumeOptions,
): Promise<ResumedRun> {
  const { error, success = !error } = options;
  if (!isUnicode(taskId) || !taskId || [...taskId].length > LONGEST_TASK)
    throw new InvalidArgumentError(`taskId must be text of 1 to ${LONGEST_TASK} characters`);
  checkBoolean(success, "success");
  if (success && error)
    throw new InvalidArgumentError("a task that was done has no error: leave out success or error");
  const body = {
    task_id: taskId,
    success,
    ...(data != null && { data }),
    ...(error !== undefined && { error }),
  };
  const request = posting<ResumedRun>("workflows.resume", "/workflows/resume", body, "success");
  bodyOf(request);
  await requireRuns(connection, options);
  return connection.send(request, options);
}

const runPath = (runId: string): string =>
  `/runs/${checkName(runId, /^[0-9a-f]{32}$/, "run id", "32 hex digits in lower case")}`;

const posting = <T>(
  call: string,
  path: string,
  body: object,
  field: "run_id" | "success",
): ApiRequest<T> => ({
  call,
  method: "POST",
  path,
  body,
  retryable: false,
  read: withField<T>(field, field === "run_id" ? "text" : "boolean"),
});

const requireRuns = (connection: Connection, options: CallOptions | undefined): Promise<void> =>
  requireCapability(connection, "durable_runs", "runs that outlive a request", options);

function checkBoolean(value: unknown, name: string): void {
  if (typeof value !== "boolean") throw new InvalidArgumentError(`${name} must be true or false`);
}
