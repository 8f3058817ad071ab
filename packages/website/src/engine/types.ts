// What the engine responds with, as far as the pages read it (openapi/arcrun.yaml). All but the names may be missing on
// the deployed engine.

export interface Health {
  readonly ok: boolean;
  readonly bundle_version?: string;
  readonly capabilities?: readonly string[];
  readonly login?: readonly string[];
}

export interface ShownKey {
  readonly id: string;
  readonly label: string;
  readonly prefix: string;
  readonly last_four: string;
  readonly created_at: number;
  readonly last_used_at: number | null;
}

export interface Identity {
  readonly provider: string;
  readonly email: string | null;
  readonly email_verified?: boolean;
}

export interface Me {
  readonly account?: string;
  readonly email?: string | null;
  readonly api_key?: string;
  readonly identities?: readonly Identity[];
  readonly key?: ShownKey | null;
  readonly session?: { readonly provider: string; readonly logged_in_at: number; readonly expires_at: number };
}

export interface KeyResponse {
  readonly api_key: string;
  readonly key?: ShownKey | null;
  readonly created?: boolean;
  readonly unopened?: readonly string[];
}

export interface Step {
  readonly nodeId: string;
  readonly type: string;
  readonly input?: unknown;
  readonly output?: unknown;
  readonly duration_ms?: number;
  readonly error?: string;
}

export interface Run {
  readonly run_id: string;
  readonly workflow: string;
  readonly status: RunStatus;
  readonly created_at: string;
  readonly started_at?: string;
  readonly ended_at?: string;
  readonly error?: string | null;
  readonly failed_node?: string | null;
  readonly paused_node_id?: string;
  readonly duration_ms?: number;
  readonly data?: unknown;
  readonly trace?: readonly Step[];
}

export type RunStatus = "queued" | "running" | "paused" | "succeeded" | "partial" | "failed" | "cancelled";

export interface Workflow {
  readonly name: string;
  readonly description: string;
  readonly created_at: string;
}

export interface Execution {
  readonly timestamp: string;
  readonly verdict: "success" | "partial" | "failed";
  readonly duration_ms: number;
  readonly message: string;
}

export interface Credential {
  readonly name: string;
  readonly service: string | null;
  readonly created_at: number;
  readonly last_used_at: number | null;
}

export interface Graph {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

export interface GraphNode {
  readonly id: string;
  readonly type: string;
  readonly label?: string;
  readonly componentId?: string;
}

export interface GraphEdge {
  readonly from: string;
  readonly to: string;
  readonly type: string;
  /** What FOREACH calls an element. */
  readonly iterator?: string;
}

export interface Definition {
  readonly name: string;
  readonly description: string;
  readonly graph: Graph;
}
