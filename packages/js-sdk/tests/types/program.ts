/** A user's program with every method, which `tsc` compiles against the types of the built package. It is not run. */

import {
  APIStatusError,
  Arcrun,
  type ArcrunOptions,
  type AuthenticatedClient,
  type CallOptions,
  type PushedRecipe,
  type RunResult,
  type StoredRecipe,
  version,
  WorkflowRunError,
} from "@arcrun/sdk";

interface Input {
  text: string;
  note?: string;
}

interface Output {
  text: string;
}

/** What may be missing is passed on as it is, under exactOptionalPropertyTypes as well. */
export function clientFrom(environment: { key?: string; url?: string }): Arcrun {
  const { key: apiKey, url: baseUrl } = environment;
  const options: ArcrunOptions = { apiKey, baseUrl, timeout: undefined, fetch: undefined };
  return new Arcrun(options);
}

export async function everyMethod(client: Arcrun, signal: AbortSignal | undefined): Promise<void> {
  const call = { timeout: 5, signal, maxRetries: undefined, extraHeaders: undefined };
  const health = await client.health(call);
  console.log(version, health.ok, health.capabilities?.includes("durable_runs"));
  const patient = client.withOptions({ timeout: 300, maxRetries: 5, apiKey: undefined });
  const raw = await patient.withRawResponse((inner) => inner.creds.list(call));
  console.log(raw.status, raw.headers.get("date"), raw.result[0]?.name, raw.requestId);
  const blocks = await client.request<{ blocks: { id: string }[] }>("GET", "/kbdb/blocks");
  console.log(blocks.blocks[0]?.id.length);

  const pushed = await client.creds.push("a", "b", { service: undefined, sensitivity: "high", ...call });
  const deleted = await client.creds.delete(pushed.name, call);
  console.log(deleted.success);

  const [recipe] = await client.auth.listServices(call);
  console.log(recipe?.required_secrets[0]?.help_url);
  await client.auth.setup("notion", { notion_token: "x" }, { account: undefined });
  await client.auth.setup<string>("crm", { crm_token: "x" });
  const notion: AuthenticatedClient = await client.auth.bind("notion", { trustRecipe: true, ...call });
  const name: string = recipe?.service ?? "github";
  await client.auth.bind(name);
  await client.auth.bind<string>("crm", { trustOrigin: "https://crm.example", fetch });
  console.log((await client.auth.getToken("openai")).length, notion.baseUrl);
  const users: unknown = await (await notion.get("/users", { query: { page_size: "1" }, timeout: 5 })).json();
  await notion.post("/pages", { json: { users } });
  await notion.put("/pages");
  await notion.patch("/pages");
  await notion.delete("/pages");
  await notion.request("OPTIONS", new URL("https://api.notion.com"));
  await notion.fetch(new Request("https://api.notion.com/v1/users"));

  const { workflows } = client;
  const workflow = { flow: ["input >> 完成後 >> a"], config: { a: { component: "set", values: {} } } };
  await workflows.push("w", workflow, { description: undefined, config: { a: { component: "set" } } });
  const found = await workflows.get("w");
  await workflows.push("w", found.graph, { strict: undefined });
  const input: Input = { text: "好" };
  const typed: RunResult<Output> = await workflows.run<Output>("w", input, { idempotencyKey: undefined });
  const text: string | undefined = typed.data?.text;
  const open = await workflows.run("w", undefined, { runAsync: true, strict: true });
  console.log(text, open.data.anything, open.warnings?.[0]?.placeholder, open.failed_nodes?.[0], open.run_id);
  const [execution] = await workflows.executions("w", { limit: undefined, ...call });
  console.log(execution?.verdict, (await workflows.list(call))[0]?.webhook_url);
  console.log((await workflows.delete("w")).deleted);
  await everyMethodOfRecipes(client, call);
}

async function everyMethodOfRecipes({ recipes, components }: Arcrun, call: CallOptions): Promise<void> {
  const pushed: PushedRecipe = await recipes.push(
    { name: "hello" },
    { expectedVersion: 0, message: undefined },
  );
  const stored: StoredRecipe = await recipes.get(`hello@${pushed.version}`, { label: undefined, ...call });
  const prompt = await recipes.render("hello", { a: 1 }, { context: undefined, fragments: { b: "c" } });
  console.log(
    pushed.warnings,
    stored.labels?.["production"]?.version,
    prompt.messages[0]?.ranges?.[0]?.origin,
  );
  console.log((await recipes.test("hello", { recipe: undefined })).tests[0]?.failures);
  console.log((await recipes.label("hello", "production", 1, { requiresTests: undefined })).requires_tests);
  console.log(
    (await recipes.unlabel("hello", "production", call)).success,
    (await recipes.list(call))[0]?.name,
  );
  console.log(
    (await recipes.versions("hello"))[0]?.message,
    (await recipes.diff("hello", 1, undefined, call)).diff,
  );
  console.log((await recipes.delete("hello", { force: undefined })).name);
  console.log((await components.list(call))[0]?.input_schema, (await components.get("set")).branches);
  console.log((await components.search("知識庫", call))[0]?.kind);
}

export function explain(error: unknown): string {
  if (error instanceof WorkflowRunError) return error.failedNode ?? error.message;
  return error instanceof APIStatusError ? `${error.status} ${error.details[0]?.message}` : String(error);
}

/** What must not compile. */
export async function mistakes({ auth, workflows }: Arcrun): Promise<void> {
  // @ts-expect-error: a misspelled service
  await auth.bind("notoin");
  // @ts-expect-error: a misspelled secret
  await auth.setup("notion", { notion_tokne: "x" });
  // @ts-expect-error: an option that is not there
  new Arcrun({ baseURL: "https://a.example" });
  // @ts-expect-error: text is no input
  await workflows.run("w", "text");
  // @ts-expect-error: neither a document nor a graph
  await workflows.push("w", { steps: [] });
}
