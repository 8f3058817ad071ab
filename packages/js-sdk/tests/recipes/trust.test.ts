import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { originOf, readOrigin } from "../../src/core/origins.js";
import { RecipeOriginError } from "../../src/index.js";
import { parseRecipe, type Recipe } from "../../src/recipes/recipe.js";
import { shown, writtenOrigin } from "../../src/recipes/shape.js";
import {
  checkOrigins,
  checkTrustOrigin,
  knownOrigins,
  mayReceiveSecrets,
  pinOrigins,
  shippedServices,
} from "../../src/recipes/trust.js";
import { clientOf, engineOf, NOTION, recipeOf, rejection } from "../support.js";

// The services of docs/contract.md#pinned-origins.
const CONTRACT = {
  notion: "https://api.notion.com",
  slack: "https://slack.com",
  github: "https://api.github.com",
  openai: "https://api.openai.com",
  anthropic: "https://api.anthropic.com",
  gemini: "https://generativelanguage.googleapis.com",
  airtable: "https://api.airtable.com",
  discord: "https://discord.com",
  stripe: "https://api.stripe.com",
  twilio: "https://api.twilio.com",
  sendgrid: "https://api.sendgrid.com",
  hubspot: "https://api.hubapi.com",
  linear: "https://api.linear.app",
  shopify: "https://{{secret.shopify_store}}.myshopify.com",
  resend: "https://api.resend.com",
  supabase: "https://{{secret.supabase_project_ref}}.supabase.co",
  typeform: "https://api.typeform.com",
  jira: "https://{{secret.jira_domain}}.atlassian.net",
  trello: "https://api.trello.com",
  mailgun: "https://api.mailgun.net",
  telegram: "https://api.telegram.org",
  line_notify: "https://notify-api.line.me",
  google_sheets_sa: "https://sheets.googleapis.com",
  google_gmail_sa: "https://gmail.googleapis.com",
  google_drive_sa: "https://www.googleapis.com",
};

const connection = { settings: { baseUrl: "https://engine.example/api" }, memory: { pinned: new Map() } };

it("pins the origins that the contract names", () => {
  const first = shippedServices.map((service) => [service, knownOrigins(service, connection)[0]]);
  expect(Object.fromEntries(first)).toEqual({ ...CONTRACT, kbdb: "https://engine.example" });
  for (const service of ["google_sheets_sa", "google_gmail_sa", "google_drive_sa"])
    expect(knownOrigins(service, connection)).toEqual([
      CONTRACT[service as keyof typeof CONTRACT],
      "https://oauth2.googleapis.com",
    ]);
});

it("knows no service by a name that every object has", () =>
  expect(["constructor", "__proto__", "tostring"].flatMap((name) => knownOrigins(name, connection))).toEqual(
    [],
  ));

it("compares origins as recipes write them, whatever the white space in placeholders", () =>
  expect(writtenOrigin("https://{{ secret.jira_domain }}.Atlassian.net:443/rest/api/3")).toBe(
    "https://{{secret.jira_domain}}.atlassian.net",
  ));

it.each([
  "https://a.example/v1",
  "a.example",
  "http://a.example",
  "https://u@a.example",
  "https://*.example",
  "",
])("%j can't be trusted", (origin) => {
  expect(() => checkTrustOrigin(origin)).toThrow(RecipeOriginError);
});

it.each([
  [undefined, undefined],
  ["https://A.example:443/", "https://a.example"],
  ["http://127.0.0.1:8080", "http://127.0.0.1:8080"],
])("%j is trusted as %j", (given, origin) => expect(checkTrustOrigin(given)).toBe(origin));

/** A recipe with this base URL. */
const recipeAt = (service: string, baseUrl: string, more: object = {}): Recipe =>
  parseRecipe(recipeOf(service, baseUrl, {}, more) as Record<string, unknown>, service);

/** What fetches its tokens from this endpoint. */
const tokensFrom = (endpoint: string) => ({ primitive: "service_account", token_exchange: { endpoint } });

describe("the secrets of notion", () => {
  const known = ["https://api.notion.com"];

  it.each([
    ["https://api.notion.com.evil.example/v1", "https://api.notion.com.evil.example/v1"],
    ["http://api.notion.com/v1", "http://api.notion.com/v1"],
    ["https://api.notion.com:8443/v1", "https://api.notion.com:8443/v1"],
    ["https://{{secret.notion_token}}", "https://api.notion.com"],
  ])("do not go to %s, filled in %s", (written, rendered) => {
    const recipe = recipeAt("notion", written);
    expect(() => checkOrigins(recipe, rendered, known, undefined)).toThrow(RecipeOriginError);
  });

  it("go to its own origin, and to one that the user trusts", () => {
    const own = recipeAt("notion", "https://api.notion.com/v1");
    expect(checkOrigins(own, own.baseUrl.text, known, undefined)).toBe("https://api.notion.com");
    const other = recipeAt("notion", "https://notion.example/v1");
    expect(checkOrigins(other, other.baseUrl.text, known, "https://notion.example")).toBe(
      "https://notion.example",
    );
  });

  it("do not go to a token endpoint elsewhere", () => {
    const recipe = recipeAt("notion", "https://api.notion.com/v1", tokensFrom("https://evil.example/token"));
    expect(() => checkOrigins(recipe, recipe.baseUrl.text, known, undefined)).toThrow(
      /would send its secrets to https:\/\/evil\.example/,
    );
  });
});

it.each(["https://127.1/v1", "https://api.notion.com%2eevil.example", "https://host:99999/"])(
  "no secret goes to %s, which fetch would read otherwise or not at all",
  (url) => {
    const recipe = recipeAt("demo", url);
    expect(() => checkOrigins(recipe, url, [writtenOrigin(url) as string], undefined)).toThrow(
      /has a URL that the SDK sends no secrets to/,
    );
  },
);

it("an origin that is accepted is the one that fetch will connect to", () => {
  const host = fc.oneof(fc.domain(), fc.ipV4(), fc.stringMatching(/^[a-zA-Z0-9.%:@\\[\]_-]{1,12}$/));
  const rest = fc.stringMatching(/^[/?#\\@:a-z.%]{0,8}$/);
  fc.assert(
    fc.property(fc.constantFrom("https://", "http://", "HTTPS://"), host, rest, (scheme, name, end) => {
      const url = scheme + name + end;
      const origin = originOf(url);
      // Where both read something, but not the same, the SDK refuses (checkOrigins, checkBaseUrl).
      if (origin === undefined || origin !== readOrigin(url)) return;
      expect(writtenOrigin(url)).toBe(origin);
      expect(new URL(url).username).toBe("");
    }),
    { numRuns: 1000 },
  );
});

describe("the origins that are known for a service", () => {
  it("are the SDK's own for a service that arcrun ships, whatever its recipe says", () => {
    pinOrigins(recipeAt("notion", "https://evil.example"), connection);
    expect(knownOrigins("notion", connection)).toEqual(["https://api.notion.com"]);
  });

  it("are the engine's for its knowledge base", () => {
    pinOrigins(recipeAt("kbdb", "https://evil.example"), connection);
    expect(knownOrigins("kbdb", connection)).toEqual(["https://engine.example"]);
  });

  it("are those of set-up for another service, if they are https", () => {
    expect(knownOrigins("demo", connection)).toEqual([]);
    pinOrigins(
      recipeAt("demo", "https://{{ secret.host }}.example/v1", tokensFrom("http://one.example/token")),
      connection,
    );
    expect(knownOrigins("demo", connection)).toEqual(["https://{{secret.host}}.example"]);
  });
});

it.each([
  ["https://a.example/x", true],
  ["https://a.example:443/", true],
  ["http://a.example/", false],
  ["https://a.example:8443/", false],
  ["https://b.a.example/", false],
  ["https://a.example@evil.example/", false],
])("a request to %s may receive the secrets of https://a.example: %s", (url, may) =>
  expect(mayReceiveSecrets(new URL(url), "https://a.example")).toBe(may),
);

const KBDB = { header: { Authorization: "Bearer {{secret.kbdb_api_key}}" } };

const shopify = (): object =>
  recipeOf(
    "shopify",
    "https://{{secret.shopify_store}}.myshopify.com/admin/api/2024-01",
    { header: { "X-Shopify-Access-Token": "{{secret.shopify_access_token}}" } },
    { required_secrets: [{ key: "shopify_access_token" }, { key: "shopify_store" }] },
  );

describe("bind", () => {
  it("refuses a recipe that leads elsewhere, and says how to allow it", async () => {
    const engine = await engineOf({ ...NOTION, base_url: "https://api.notion.example/v1" });
    const { auth } = clientOf(engine);
    const error = await rejection(auth.bind("notion"));
    expect(engine.requests.map(({ path }) => path)).toEqual(["/auth-recipes/notion"]); // no secret was looked for
    expect(error).toBeInstanceOf(RecipeOriginError);
    expect(error.message).toBe(
      "the auth recipe of 'notion' would send its secrets to https://api.notion.example (expected https://api.notion.com). " +
        "If that origin is correct, name it: bind('notion', { trustOrigin: 'https://api.notion.example' }); for a service of your own, auth.setup() in the same client remembers it",
    );
    await auth.setup("notion", { notion_token: "x" });
    const bound = await auth.bind("notion", { trustOrigin: "https://api.notion.example" });
    expect(bound.baseUrl).toBe("https://api.notion.example/v1");
  });

  it("trusts the origin of one's own service as it was at setup", async () => {
    const recipe = recipeOf("demo", "https://one.example/v1", {}) as { base_url: string };
    const engine = await engineOf(recipe);
    const { auth } = clientOf(engine);
    vi.stubEnv("ARCRUN_SECRET_DEMO_TOKEN", "x");
    await expect(auth.bind<string>("demo")).rejects.toThrow(RecipeOriginError);
    await auth.setup<string>("demo", { demo_token: "x" });
    expect((await auth.bind<string>("demo")).baseUrl).toBe("https://one.example/v1");
  });

  it("takes the engine's own address for kbdb", async () => {
    const recipe = recipeOf("kbdb", "https://elsewhere.example", KBDB, {
      required_secrets: [{ key: "kbdb_api_key" }],
    }) as { base_url: string };
    const engine = await engineOf(recipe);
    const { auth } = clientOf(engine);
    await auth.setup("kbdb", { kbdb_api_key: "x" });
    await expect(auth.bind("kbdb")).rejects.toThrow(RecipeOriginError);
    recipe.base_url = `${engine.url}/kbdb`;
    await auth.setup("kbdb", { kbdb_api_key: "x" });
    expect((await auth.bind("kbdb")).baseUrl).toBe(`${engine.url}/kbdb`);
  });

  it.each(["evil.example/", "a.b", "x@y", "a/b", "密"])(
    "lets no secret %j move the address",
    async (store) => {
      const { auth } = clientOf(await engineOf(shopify()));
      await expect(
        auth.setup("shopify", { shopify_store: store, shopify_access_token: "x" }),
      ).rejects.toThrow(/letters A-Z a-z, digits and - only \(the bare name, not a whole address\)/);
    },
  );

  it("fills the address in", async () => {
    const { auth } = clientOf(await engineOf(shopify()));
    await auth.setup("shopify", { shopify_store: "my-Store", shopify_access_token: "x" });
    expect((await auth.bind("shopify")).baseUrl).toBe("https://my-Store.myshopify.com/admin/api/2024-01");
  });
});

it("shows 160 characters of a recipe at most", () => {
  expect(shown("a".repeat(160))).toBe(`'${"a".repeat(160)}'`);
  expect(shown("a".repeat(161))).toBe(`'${"a".repeat(160)}…'`);
});
