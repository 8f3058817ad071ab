/** The recipes that the deployed engine serves, and what an attacker who may rewrite them could try. */

import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { injection } from "../../src/auth/injection.js";
import * as sdk from "../../src/index.js";
import { knownRecipes } from "../../src/recipes/knownRecipes.js";
import { renderBaseUrl } from "../../src/recipes/placeholders.js";
import { parseRecipe } from "../../src/recipes/recipe.js";
import { checkOrigins, checkRecipe, knownOrigins, mayUse } from "../../src/recipes/trust.js";
import { clientOf, engineOf, rejection, serve } from "../support.js";

type Json = Record<string, unknown>;
type Path = readonly (string | number)[];
interface Served extends Json {
  service: string;
  base_url: string;
  required_secrets: { key: string }[];
  inject: Record<string, Json>;
}

const DEPLOYED: Served[] = JSON.parse(readFileSync(new URL("deployed.json", import.meta.url), "utf8"));
const SHIPPED = DEPLOYED.filter(({ service }) => service !== "kbdb");
const POLICY = { settings: { baseUrl: "https://engine.example" }, memory: { pinned: new Map() } };

// A secret for each key of each service, which can be told apart, and may stand in a host name.
const KEYS = [...new Set(DEPLOYED.flatMap((recipe) => recipe.required_secrets.map(({ key }) => key)))];
const VALUES = new Map(KEYS.map((key) => [key, () => `canary-${key.replace(/_/g, "-")}`]));

/** Returns where a recipe would send which secret; throws if the SDK refuses the recipe. */
function flow(served: Served): unknown {
  const recipe = parseRecipe(JSON.parse(JSON.stringify(served)), served.service);
  checkRecipe(recipe, POLICY);
  const baseUrl = renderBaseUrl(recipe.baseUrl, VALUES);
  const origin = checkOrigins(recipe, baseUrl, knownOrigins(served.service, POLICY), undefined);
  const rendered = injection(recipe.injected(VALUES), VALUES, () => "canary-token");
  const headers = new Headers();
  rendered.setHeaders(headers);
  const [, body] = rendered.inBody ? (rendered.content("POST", "", "{}") ?? []) : [];
  return {
    url: new URL(baseUrl).href,
    origin,
    endpoint: recipe.grant?.endpoint,
    kind: recipe.grant && [recipe.grant.key, recipe.grant.clientId],
    target: rendered.target(new URL(`${origin}/bot{bot_token}/x?a=1`)),
    headers: [...headers].filter(([, value]) => /canary|^Basic/i.test(value)),
    body,
  };
}

/** Returns the paths of all values in a recipe that decide about secrets. */
function paths(value: unknown, path: Path = []): Path[] {
  if (typeof value !== "object" || value === null) return [path];
  return Object.entries(value).flatMap(([key, item]) => [[...path, key], ...paths(item, [...path, key])]);
}

/** Returns a copy with one value replaced, or removed if it is undefined. */
function changed(recipe: Served, path: Path, value: unknown): Served {
  const copy = structuredClone(recipe);
  let target: Json = copy;
  for (const key of path.slice(0, -1)) target = target[key] as Json;
  const last = String(path.at(-1));
  if (value === undefined) delete target[last];
  else target[last] = value;
  return copy;
}

const ADDED = ["{{secret.stripe_secret_key}}", "x{{ secret.notion_token }}", "{{runtime.access_token}}"];
const [STRIPE] = ADDED as [string];
const PLACES = ["header", "query", "path", "body"];

/** Every single change that moves or adds a secret, by what it does. */
function* mutants(recipe: Served): Generator<[string, Served]> {
  for (const url of ["https://evil.example", "https://api.telegram.org/botEVIL:1/setWebhook?url="])
    yield [`base_url ${url}`, changed(recipe, ["base_url"], url)];
  for (const rest of ["/botEVIL", "/..", "?a=", "#a", "/{{secret.stripe_secret_key}}", "/%2e%2e", "//x"])
    yield [`base_url …${rest}`, changed(recipe, ["base_url"], recipe.base_url + rest)];
  yield ["plain http", changed(recipe, ["base_url"], recipe.base_url.replace("https", "http"))];
  for (const section of PLACES)
    for (const text of [...ADDED, `{{secret.${recipe.required_secrets[0]?.key}}}`])
      yield [
        `${section}.x = ${text}`,
        changed(recipe, ["inject", section], { ...recipe.inject[section], x: text }),
      ];
  for (const section of ["query", "path", "body"])
    yield [`${section}.x`, changed(recipe, ["inject", section], { ...recipe.inject[section], x: "1" })];
  for (const [section, names] of Object.entries(recipe.inject))
    for (const [name, text] of Object.entries(names)) {
      if (!String(text).includes("{{")) continue;
      yield [`without ${name}`, changed(recipe, ["inject", section, name], undefined)];
      for (const other of [...ADDED, `${text}x`, `x${text}`, "constant"])
        if (other !== text) yield [`${name} = ${other}`, changed(recipe, ["inject", section, name], other)];
      for (const place of PLACES)
        if (place !== section)
          yield [`${name} in ${place}`, changed(recipe, ["inject"], { [place]: { [name]: text } })];
    }
  for (const name of ["Authorization", "Cookie", "Host", "Proxy-Authorization", "X-Forwarded-For"])
    if (!String(recipe.inject["header"]?.[name] ?? "").includes("{{"))
      yield [
        `constant ${name}`,
        changed(recipe, ["inject", "header"], { ...recipe.inject["header"], [name]: "1" }),
      ];
  const secrets = recipe.required_secrets;
  yield ["another key", changed(recipe, ["required_secrets"], [...secrets, { key: "stripe_secret_key2" }])];
  yield ["no key", changed(recipe, ["required_secrets"], [])];
  for (const endpoint of ["https://evil.example/token", "https://oauth2.googleapis.com/other", undefined])
    yield [`endpoint ${endpoint}`, changed(recipe, ["token_exchange"], endpoint && { endpoint })];
  for (const primitive of ["oauth2", "service_account", "static_key", "mtls"])
    if (primitive !== recipe["primitive"])
      yield [`primitive ${primitive}`, { ...changed(recipe, ["primitive"], primitive), ...GRANTS }];
}

const GRANTS = {
  oauth2: {
    token_endpoint: "https://oauth2.googleapis.com/token",
    client_id: "{{secret.stripe_secret_key}}",
    refresh_token: "{{secret.google_service_account}}",
  },
};

describe.each(SHIPPED.map((recipe) => [recipe.service, recipe] as const))("the recipe of %s", (_, recipe) => {
  const refused = expect.toSatisfy(
    (error) => error instanceof sdk.ArcrunError && !/cannot be filled in/.test(error.message),
  );
  const original = flow(recipe);

  it("is refused with any single change that moves or adds a secret", () => {
    for (const [what, mutant] of mutants(recipe)) {
      let outcome: unknown;
      try {
        outcome = flow(mutant);
      } catch (error) {
        expect([what, error]).toEqual([what, refused]);
        continue;
      }
      // The endpoint of a recipe that fetches no token is not read.
      const isHarmless = what.startsWith("endpoint") && !recipe["token_exchange"];
      expect([what, outcome]).toEqual([what, isHarmless ? original : "refused"]);
    }
  });

  it("sends each secret where it belongs, or is refused, whatever one value of it is replaced with", () => {
    const text = fc.oneof(
      fc.constantFrom(
        ...ADDED,
        "https://evil.example",
        "Authorization",
        "{{",
        "{{secret.}}",
        "__proto__",
        "",
      ),
      fc.constantFrom(...KEYS).map((key) => `{{ secret.${key} }}`),
      fc.string({ maxLength: 8 }),
    );
    const value = fc.oneof(
      text,
      fc.constantFrom(undefined, null, 1, true, []),
      fc.dictionary(text, text, { maxKeys: 2 }),
      fc.dictionary(fc.constantFrom(...PLACES), fc.dictionary(text, text, { maxKeys: 2 }), { maxKeys: 2 }),
    );
    const path = fc.constantFrom(...paths(recipe).filter(([field]) => field !== "service"));
    fc.assert(
      fc.property(path, value, (path, value) => {
        let outcome: unknown;
        try {
          outcome = flow(changed(recipe, path, value));
        } catch (error) {
          expect(error).toBeInstanceOf(sdk.ArcrunError);
          return;
        }
        expect(outcome).toEqual(original);
      }),
      { numRuns: 150 },
    );
  });
});

describe("bind", () => {
  const secretsOf = ({ required_secrets }: Served) =>
    Object.fromEntries(
      required_secrets.map(({ key }) => [
        key,
        key === "google_service_account" ? '{"client_email":"a","private_key":"b"}' : "abc",
      ]),
    );

  it.each(SHIPPED.map((recipe) => [recipe.service, recipe] as const))(
    "takes %s as deployed",
    async (_, recipe) => {
      const { auth } = clientOf(await engineOf(recipe));
      await auth.setup(recipe.service, secretsOf(recipe));
      const { baseUrl } = await auth.bind(recipe.service);
      expect(baseUrl).toBe(recipe.base_url.replace(/\{\{.*\}\}/, "abc"));
    },
  );

  it("takes kbdb, whose origin there is another's, only if it is trusted", async () => {
    const kbdb = DEPLOYED.find(({ service }) => service === "kbdb") as Served;
    const { auth } = clientOf(await engineOf(kbdb));
    await auth.setup("kbdb", secretsOf(kbdb));
    await expect(auth.bind("kbdb")).rejects.toThrow(sdk.RecipeOriginError);
    await expect(auth.bind("kbdb", { trustRecipe: true })).rejects.toThrow(sdk.RecipeOriginError);
    const { baseUrl } = await auth.bind("kbdb", { trustOrigin: "https://kbdb.example.com" });
    expect(baseUrl).toBe("https://kbdb.example.com");
  });

  it("refuses a recipe that was rewritten, names the difference, and sends nothing until it is trusted", async () => {
    const telegram = DEPLOYED.find(({ service }) => service === "telegram") as Served;
    const service = await serve(() => ({ json: {} }));
    const engine = await engineOf({
      ...telegram,
      base_url: "https://api.telegram.org/botEVIL",
    });
    const { auth } = clientOf(engine);
    const error = await rejection(auth.bind("telegram", { trustOrigin: "https://api.telegram.org" }));
    expect(error).toBeInstanceOf(sdk.RecipeChangedError);
    expect(error.message).toBe(
      "the auth recipe of 'telegram' is not the one that the SDK knows: it has the URL 'https://api.telegram.org/botEVIL', not 'https://api.telegram.org'. Secrets could go to someone else with it, so none was used. " +
        "If you know that it is right, say so: bind('telegram', { trustRecipe: true })",
    );
    expect(engine.requests.map(({ path }) => path)).toEqual(["/auth-recipes/telegram"]);
    await auth.setup("telegram", { telegram_bot_token: "1:x" });
    expect((await auth.bind("telegram", { trustRecipe: true })).baseUrl).toBe(
      "https://api.telegram.org/botEVIL",
    );
    await expect(auth.getToken("telegram")).rejects.toThrow(sdk.RecipeChangedError);
    expect(service.requests).toHaveLength(0);
  });

  it.each([
    ["openai", "header", {}, "inject.header has nothing"],
    [
      "openai",
      "header",
      { "X-A": STRIPE, "X-B": STRIPE },
      "inject.header has 'X-A, X-B', or templates that are not the known ones",
    ],
    [
      "telegram",
      "query",
      { text: STRIPE },
      "inject.query has 'text', or templates that are not the known ones",
    ],
  ])("names the section of a changed %s that differs: %s", async (name, section, items, said) => {
    const served = DEPLOYED.find(({ service }) => service === name) as Served;
    const { auth } = clientOf(await engineOf({ ...served, inject: { ...served.inject, [section]: items } }));
    const error = await rejection(auth.bind(name));
    expect(error).toBeInstanceOf(sdk.RecipeChangedError);
    expect(error.message).toContain(`: ${said}. `);
  });
});

describe("a secret", () => {
  it.each([
    ["notion", "notion_token", "notion", false, true],
    ["notion", "notion_token", undefined, false, true],
    ["notion", "notion_token", "crm", false, true],
    ["google_drive_sa", "google_service_account", "google_sheets_sa", false, true],
    ["notion", "Notion_Token", undefined, false, false], // keys are compared exactly where that allows something
    ["notion", "Notion_Token", undefined, true, false],
    ["crm", "crm_token", "crm", false, true],
    ["crm", "crm_token", undefined, false, false],
    ["crm", "crm_token", undefined, true, true],
    ["crm", "stripe_secret_key", undefined, true, false],
    ["crm", "stripe_secret_key", "stripe", true, false],
    ["crm", "Stripe_Secret_Key", undefined, true, false], // one environment variable holds both
    ["crm", "stripe_secret_key__work", undefined, true, false],
    ["crm", "stripe_secret_key", "crm", false, true],
    ["constructor", "stripe_secret_key", undefined, false, false],
  ])("of %s by the key %s that was stored for %s, recipe trusted: %s, may be used: %s", (...given) => {
    const [service, key, storedFor, trusts, may] = given;
    expect(mayUse(service, key, storedFor, trusts)).toBe(may);
  });
});

it("the table has what each deployed recipe says of secrets", () => {
  for (const { service, base_url, inject, required_secrets } of SHIPPED) {
    const [baseUrl, sections, keys] = knownRecipes[service] ?? [];
    expect([service, baseUrl, keys]).toEqual([service, base_url, required_secrets.map(({ key }) => key)]);
    expect(Object.keys(sections ?? {})).toEqual(Object.keys(inject));
  }
});

// A key that the type lacks does not compile.
const TYPED: { [S in keyof sdk.Services]: sdk.Services[S][] } = {
  airtable: ["airtable_token"],
  anthropic: ["anthropic_api_key"],
  discord: ["discord_bot_token"],
  gemini: ["gemini_api_key"],
  github: ["github_token"],
  google_drive_sa: ["google_service_account"],
  google_gmail_sa: ["google_service_account"],
  google_sheets_sa: ["google_service_account"],
  hubspot: ["hubspot_token"],
  jira: ["jira_api_token", "jira_email", "jira_domain"],
  kbdb: ["kbdb_api_key"],
  line_notify: ["line_token"],
  linear: ["linear_api_key"],
  mailgun: ["mailgun_api_key", "mailgun_domain"],
  notion: ["notion_token"],
  openai: ["openai_api_key"],
  resend: ["resend_api_key"],
  sendgrid: ["sendgrid_api_key"],
  shopify: ["shopify_access_token", "shopify_store"],
  slack: ["slack_bot_token"],
  stripe: ["stripe_secret_key"],
  supabase: ["supabase_service_key", "supabase_project_ref"],
  telegram: ["telegram_bot_token"],
  trello: ["trello_api_key", "trello_token"],
  twilio: ["twilio_account_sid", "twilio_auth_token"],
  typeform: ["typeform_token"],
};

it("the types name the services of the table, and their secrets", () =>
  expect(TYPED).toEqual(
    Object.fromEntries(Object.entries(knownRecipes).map(([service, [, , keys]]) => [service, keys])),
  ));
