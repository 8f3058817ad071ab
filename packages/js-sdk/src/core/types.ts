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
}

/** Result of `workflows.push`. */
export interface PushedWorkflow extends Open {
  name: string;
  webhook_url?: string;
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
}

/** Result of `workflows.get`. */
export interface Workflow extends Open {
  name: string;
  graph: Graph;
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
  accepted?: boolean;
  run_id?: string;
}

/** One entry of `workflows.executions`. */
export interface Execution extends Open {
  timestamp?: unknown;
  workflow_id?: string;
  verdict?: string;
  duration_ms?: number;
  message?: string | null;
}
