/** What the methods take and return. Results have the field names of the API, and may have fields that are not listed. */

/** How a credential is sent: encrypted by the client, or as it is, over TLS. */
export type CredentialFormat = "sealed" | "plain";

/** How carefully a credential is handled. */
export type Sensitivity = "standard" | "high";

/** The options of every method. */
export interface CallOptions {
  /** Seconds for each attempt; left out, the client's own. */
  timeout?: number | undefined;
  /** Aborts the call, which then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** How often this call is retried, where that is safe; left out, as often as the client says. */
  maxRetries?: number | undefined;
  /** Headers of this call, over those of the client. */
  extraHeaders?: Record<string, string> | undefined;
}

interface Open {
  /** Other fields of the response. */
  [field: string]: unknown;
}

/** Result of `health()`; `capabilities` is missing on engines that do not say what they can do. */
export interface Health extends Open {
  ok: boolean;
  bundle_version?: string;
  capabilities?: string[];
  /** How the engine's database is. */
  database?: { ok: boolean; kind: string; [field: string]: unknown };
  /** How many accepted runs of all accounts wait to be executed, and for how long the oldest one has. */
  queue?: { queued: number; oldest_seconds: number; [field: string]: unknown };
}

/** One secret that a service needs, and where people find it. */
export interface RequiredSecret extends Open {
  key: string;
  label?: string;
  help?: string;
  help_url?: string;
  optional?: boolean;
}

/** How requests to a service are authenticated (docs/contract.md#auth-recipes). */
export interface AuthRecipe extends Open {
  service: string;
  primitive: "static_key" | "service_account" | "oauth2" | "mtls";
  base_url: string;
  required_secrets: RequiredSecret[];
  kind?: string;
  version?: number;
  display_name?: string;
  description?: string;
  category?: string;
  deprecated?: boolean;
  inject?: Record<string, Record<string, unknown>>;
  service_account_kind?: string;
  token_exchange?: { endpoint?: string; scopes?: string[] };
  oauth2?: {
    token_endpoint?: string;
    client_id?: string;
    client_secret?: string;
    refresh_token?: string;
    scopes?: string[];
  };
}

/** Result of `auth.setup`: the names that the secrets were stored under. */
export interface SetupResult {
  service: string;
  account: string | null;
  stored: string[];
}

/** Result of `creds.push`. */
export interface PushedCredential extends Open {
  name: string;
  success?: boolean;
  service?: string | null;
  sensitivity?: string;
}

/** One entry of `creds.list`; times are Unix seconds. Never a value. */
export interface Credential extends Open {
  name: string;
  service?: string | null;
  sensitivity?: string;
  created_at?: number;
  last_used_at?: number | null;
}

/** Result of `creds.delete`. */
export interface DeletedCredential extends Open {
  name: string;
  success?: boolean;
}

/** A compiled workflow: nodes and edges. */
export interface Graph extends Open {
  nodes: unknown[];
  edges: unknown[];
}

/** A workflow document: lines of `FROM >> EDGE >> TO`, and per node its component and parameters. */
export interface WorkflowDocument extends Open {
  flow: string[];
  config?: Record<string, Record<string, unknown>>;
  name?: string;
  description?: string;
  strict?: boolean;
  retry?: { times: number; backoff_seconds?: number; on?: readonly (number | string)[] };
  timeout_seconds?: number;
  on_failure?: string;
  repeatable?: boolean;
  on_failure_workflow?: string;
  max_running?: number;
  when_full?: string;
  cron?: { expr: string; timezone?: string };
  webhook?: { secret: string; headers?: readonly string[] };
}

/** Result of `workflows.push`. */
export interface PushedWorkflow extends Open {
  name: string;
  webhook_url?: string;
  hook_url?: string;
  description?: string;
  created_at?: unknown;
}

/** One entry of `workflows.list`. */
export interface WorkflowSummary extends Open {
  name: string;
  description?: string;
  created_at?: unknown;
  cron_expr?: string | null;
  webhook_url?: string;
  hook_url?: string;
}

/** Result of `workflows.get`. */
export interface Workflow extends Open {
  name: string;
  graph: Graph;
  hook_url?: string;
  description?: string;
  config?: Record<string, unknown> | null;
  created_at?: unknown;
}

/** Result of `workflows.delete`. */
export interface DeletedWorkflow extends Open {
  deleted: boolean;
  name: string;
}

/** A placeholder of a node that pointed nowhere. */
export interface RunWarning extends Open {
  node?: string;
  placeholder?: string;
}

/** Result of `workflows.run`: `data`, or with `runAsync` only that it was `accepted`. */
// biome-ignore lint/suspicious/noExplicitAny: a run's data is defined by the workflow
export interface RunResult<T = any> extends Open {
  success?: boolean;
  data?: T;
  duration_ms?: number;
  trace?: Record<string, unknown>[];
  /** Placeholders that pointed nowhere, and stayed as they were written. */
  warnings?: RunWarning[];
  /** The nodes that failed though the run went on. */
  failed_nodes?: string[];
  /** What was used of language models, if any was asked. */
  usage?: Record<string, unknown>;
  accepted?: boolean;
  run_id?: string;
}

/** How far a run is, or how it ended. */
export type RunStatus = "queued" | "running" | "paused" | "succeeded" | "partial" | "failed" | "cancelled";

/** One entry of `runs.list`. */
export interface RunSummary extends Open {
  run_id: string;
  status: string;
  workflow?: string | null;
  trigger?: string;
  retry_of?: string;
  created_at?: unknown;
  started_at?: unknown;
  ended_at?: unknown;
  error?: string;
  failed_node?: string;
  /** What a paused run waits for. */
  task_id?: string;
  paused_node_id?: string;
}

/** The result of `runs.get` and `runs.cancel`: what the run was given, how far it is, how it ended. */
export interface Run extends RunSummary {
  input?: Record<string, unknown>;
  data?: unknown;
  duration_ms?: number | null;
  trace?: Record<string, unknown>[];
  failed_input?: unknown;
  warnings?: RunWarning[];
  failed_nodes?: string[];
}

/**
 * An event of `runs.events`: of type `status`, or `node` if a node has ended.
 *
 * `id` is what `after` takes. A `node` has the status `ok`, `failed` or, if the run pauses for it, `waiting`.
 */
export interface RunEvent extends Open {
  id: string;
  type: string;
  status?: string;
  at?: string;
  node?: string;
  duration_ms?: number;
  attempts?: number;
  error?: string;
  failed_node?: string;
  task_id?: string;
  paused_node_id?: string;
}

/** The result of `runs.retry`. */
export interface AcceptedRun extends Open {
  accepted: boolean;
  run_id: string;
}

/** The result of `workflows.resume`: how the run went on, or a `noop` with its `reason`. */
export interface ResumedRun extends Open {
  success: boolean;
  resumed?: boolean;
  noop?: boolean;
  reason?: string;
  task_id?: string;
  run_id?: string;
  status?: string;
  paused_again?: boolean;
  paused_node_id?: string;
  data?: unknown;
  error?: string;
  failed_node?: string;
  failed_input?: unknown;
  trace?: Record<string, unknown>[];
  warnings?: RunWarning[];
  failed_nodes?: string[];
}

/** One entry of `workflows.executions`. */
export interface Execution extends Open {
  timestamp?: unknown;
  workflow_id?: string;
  verdict?: string;
  duration_ms?: number;
  message?: string | null;
  /** What was used of language models, if any was asked. */
  usage?: Record<string, unknown>;
}

/** Where a label of a recipe points. */
export interface RecipeLabel extends Open {
  version?: number;
  requires_tests?: boolean;
}

/** Result of `recipes.get`: a version of a recipe, and the recipe's labels. */
export interface StoredRecipe extends Open {
  name: string;
  version: number;
  recipe: Record<string, unknown>;
  id?: string;
  /** The text that was pushed, to the letter; missing if an object was pushed. */
  source?: string;
  message?: string | null;
  /** Null for a recipe that is shipped with the engine. */
  created_at?: string | null;
  /** There if the recipe is shipped with the engine; it is version 0 then. */
  shipped?: boolean;
  labels?: Record<string, RecipeLabel>;
}

/** Result of `recipes.push`: the new version, and what is probably not meant. */
export interface PushedRecipe extends Open {
  name: string;
  version: number;
  recipe: Record<string, unknown>;
  warnings: string[];
  id?: string;
  source?: string;
  message?: string | null;
  created_at?: string | null;
}

/** One entry of `recipes.list`: of prompt recipes with the newest version, of others with that of the name alone. */
export interface RecipeSummary extends Open {
  name: string;
  version?: number;
  description?: string;
  /** There if the recipe is shipped with the engine; it is version 0 then. */
  shipped?: boolean;
}

/** Result of `recipes.delete`. */
export interface DeletedRecipe extends Open {
  name: string;
  success?: boolean;
}

/** One entry of `recipes.versions`. */
export interface RecipeVersion extends Open {
  version?: number;
  message?: string | null;
  created_at?: string;
}

/** Result of `recipes.diff`: a unified diff, empty if there is no difference. */
export interface RecipeDiff extends Open {
  name: string;
  from: number;
  to: number;
  diff: string;
}

/** Where a range of a message's characters comes from. */
export interface PromptRange extends Open {
  start: number;
  end: number;
  origin: Record<string, unknown>;
}

/** A message of an assembled prompt. */
export interface PromptMessage extends Open {
  role: string;
  content: string;
  ranges?: PromptRange[];
}

/** Result of `recipes.render`; `version` is null for a recipe that is not stored. */
export interface RenderedRecipe extends Open {
  messages: PromptMessage[];
  recipe?: string;
  version?: number | null;
  estimated_tokens?: number;
  warnings?: string[];
}

/** How a test of a prompt recipe ended. */
export interface RecipeTest extends Open {
  name: string;
  passed: boolean;
  failures: string[];
}

/** Result of `recipes.test`; `version` is null for a recipe that is not stored. */
export interface TestedRecipe extends Open {
  passed: boolean;
  tests: RecipeTest[];
  recipe?: string;
  version?: number | null;
}

/** How a message of a prompt changes, as a unified diff. */
export interface MessageDiff extends Open {
  role: string;
  diff: string;
}

/** How a model's new answer differs from the recorded one. */
export interface BacktestAnswer extends Open {
  status: string;
  diff?: string;
  truncated?: boolean;
  error?: string;
  llm?: Record<string, unknown>;
}

/** What a version changes of the prompt of one run; `run_id` is null for a run that is not kept. */
export interface BacktestRun extends Open {
  status: string;
  node: string;
  version: number;
  run_id?: string | null;
  created_at?: string;
  messages?: MessageDiff[];
  truncated?: boolean;
  error?: string;
  answer?: BacktestAnswer;
}

/** Result of `recipes.backtest`; `version` is null for a recipe that is not stored. */
export interface BacktestedRecipe extends Open {
  count: number;
  changed: number;
  runs: BacktestRun[];
  recipe?: string;
  version?: number | null;
  unchanged?: number;
  failed?: number;
  skipped?: number;
  usage?: Record<string, unknown>;
}

/** Result of `recipes.label`. */
export interface LabeledRecipe extends Open {
  name: string;
  label: string;
  version: number;
  requires_tests?: boolean;
}

/** Result of `recipes.unlabel`. */
export interface RemovedLabel extends Open {
  name: string;
  label: string;
  success?: boolean;
}

/** A component of the catalog. */
export interface Component extends Open {
  canonical_id: string;
  display_name?: string;
  category?: string;
  version?: string;
  description?: string;
  input_schema?: Record<string, unknown>;
  output_schema?: Record<string, unknown>;
  config_example?: Record<string, unknown>;
  branches?: string[];
}

/** One entry of `components.search`: `canonical_id` is what a node names it by. */
export interface ComponentResult extends Open {
  kind: string;
  canonical_id: string;
  display_name?: string;
  category?: string;
  description?: string;
}
