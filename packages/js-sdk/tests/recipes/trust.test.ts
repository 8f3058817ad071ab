import { describe, expect, it, vi } from "vitest";
import { nearest } from "../../src/core/nearest.js";
import { isLoopback } from "../../src/core/origins.js";
import { RecipeOriginError } from "../../src/index.js";
import { checkOrigins, checkTrusted, shippedOrigins, writtenOrigin } from "../../src/recipes/pinned.js";
import { clientOf, engineOf, recipeOf, rejection } from "../support.js";

// CONTRACT.md §4, "Services to ship".
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

it("pins the origins that the contract names", () => {
  const first = [...shippedOrigins].map(([service, [origin]]) => [service, origin]);
  expect(Object.fromEntries(first)).toEqual(CONTRACT);
  for (const service of ["google_sheets_sa", "google_gmail_sa", "google_drive_sa"])
    expect(shippedOrigins.get(service)).toEqual([
      CONTRACT[service as keyof typeof CONTRACT],
      "https://oauth2.googleapis.com",
    ]);
});

it.each([
  ["https://api.notion.com/v1", "https://api.notion.com"],
  ["HTTPS://API.Notion.com:443/v1", "https://api.notion.com"],
  ["http://127.0.0.1:8787?x", "http://127.0.0.1:8787"],
  ["http://[::1]:80/", "http://[::1]"],
  ["http://[::1]:8080/", "http://[::1]:8080"],
  [
    "https://{{ secret.jira_domain }}.Atlassian.net:443/rest/api/3",
    "https://{{secret.jira_domain}}.atlassian.net",
  ],
  ["https://a@b.example", undefined],
  ["https://api.notion.com\\@evil.example", undefined],
  ["https://api.notion.com\u3002evil.example", undefined],
  ["https://api.notion.com .evil.example", undefined],
  [" https://api.notion.com", undefined],
  ["//api.notion.com", undefined],
  ["javascript:alert(1)", undefined],
  ["", undefined],
])("the origin of %j is %j", (url, origin) => expect(writtenOrigin(url)).toBe(origin));

it.each([
  ["http://localhost:1", true],
  ["http://a.localhost", true],
  ["http://127.1.2.3:80", true],
  ["http://[::1]", true],
  ["http://127.0.0.1.evil.example", false],
  ["http://localhost.evil.example", false],
  ["http://10.0.0.1", false],
])("%s is loopback: %s", (origin, loopback) => expect(isLoopback(origin)).toBe(loopback));

it.each([
  "https://a.example/v1",
  "a.example",
  "http://a.example",
  "https://u@a.example",
  "https://*.example",
  "",
])("%j can't be trusted", (origin) => {
  expect(() => checkTrusted(origin)).toThrow(RecipeOriginError);
});

it.each([
  ["https://api.notion.com/v1", "https://api.notion.com/v1", true],
  ["https://api.notion.com.evil.example/v1", "https://api.notion.com.evil.example/v1", false],
  ["http://api.notion.com/v1", "http://api.notion.com/v1", false],
  ["https://api.notion.com:8443/v1", "https://api.notion.com:8443/v1", false],
  ["https://{{secret.notion_token}}", "https://api.notion.com", false],
])("notion's secrets go to %s: %s %s", (written, rendered, fine) => {
  const check = () =>
    checkOrigins("notion", written, rendered, shippedOrigins.get("notion") ?? [], undefined);
  if (fine) expect(check()).toBe("https://api.notion.com");
  else expect(check).toThrow(RecipeOriginError);
});

it.each(["https://127.1/v1", "https://api.notion.com%2eevil.example", "https://host:99999/"])(
  "nothing goes to %s, which fetch would read otherwise or not at all",
  (url) => {
    expect(() => checkOrigins("demo", url, url, [writtenOrigin(url) as string], undefined)).toThrow(
      /has a URL that the SDK does not send secrets to/,
    );
  },
);

describe("bind", () => {
  it("refuses a recipe that leads elsewhere, and says how to allow it", async () => {
    const engine = await engineOf(recipeOf("notion", "https://api.notion.example/v1", {}));
    const { auth } = clientOf(engine);
    const error = await rejection(auth.bind("notion"));
    expect(engine.requests.map(({ path }) => path)).toEqual(["/auth-recipes/notion"]); // no secret was looked for
    expect(error).toBeInstanceOf(RecipeOriginError);
    expect(error.message).toBe(
      "the recipe of 'notion' would send its secrets to https://api.notion.example (expected https://api.notion.com). " +
        "If that is right, say so: bind('notion', { trustOrigin: 'https://api.notion.example' }); for a service of your own, auth.setup() in the same client pins it",
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
    await expect(auth.bind("demo")).rejects.toThrow(RecipeOriginError);
    await auth.setup("demo", { demo_token: "x" });
    expect((await auth.bind("demo")).baseUrl).toBe("https://one.example/v1");
  });

  it("takes the engine's own address for kbdb", async () => {
    const recipe = recipeOf("kbdb", "https://elsewhere.example", {}) as { base_url: string };
    const engine = await engineOf(recipe);
    const { auth } = clientOf(engine);
    await auth.setup("kbdb", { kbdb_token: "x" });
    await expect(auth.bind("kbdb")).rejects.toThrow(RecipeOriginError);
    recipe.base_url = `${engine.url}/kbdb`;
    await auth.setup("kbdb", { kbdb_token: "x" });
    expect((await auth.bind("kbdb")).baseUrl).toBe(`${engine.url}/kbdb`);
  });

  it.each(["evil.example/", "a.b", "x@y", "a/b", "密"])(
    "lets no secret %j move the address",
    async (store) => {
      const recipe = recipeOf(
        "shopify",
        "https://{{secret.shopify_store}}.myshopify.com/admin",
        {},
        {
          required_secrets: [{ key: "shopify_store" }],
        },
      );
      const { auth } = clientOf(await engineOf(recipe));
      await expect(auth.setup("shopify", { shopify_store: store })).rejects.toThrow(
        /letters A-Z a-z, digits and - only \(the bare name, not a whole address\)/,
      );
    },
  );

  it("fills the address in", async () => {
    const recipe = recipeOf(
      "shopify",
      "https://{{secret.shopify_store}}.myshopify.com/admin",
      {},
      {
        required_secrets: [{ key: "shopify_store" }],
      },
    );
    const { auth } = clientOf(await engineOf(recipe));
    await auth.setup("shopify", { shopify_store: "my-Store" });
    expect((await auth.bind("shopify")).baseUrl).toBe("https://my-Store.myshopify.com/admin");
  });
});

it.each([
  ["notoin", "; did you mean 'notion'?"],
  ["opanai", "; did you mean 'openai'?"],
  ["zzz", ""],
])("what is nearest to %j: %j", (word, words) =>
  expect(nearest(word, [...shippedOrigins.keys()])).toBe(words),
);
