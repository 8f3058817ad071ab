/** What holds for all secrets that users store, and all URLs and bodies that they send. */

import fc from "fast-check";
import { expect, it } from "vitest";
import { injection } from "../../src/auth/injection.js";
import { blankOut } from "../../src/core/secret.js";
import { parseInject } from "../../src/recipes/recipe.js";

const text = fc.string({ unit: "grapheme", minLength: 1 });
const path = fc
  .array(fc.string({ unit: "grapheme", minLength: 1 }), { maxLength: 4 })
  .map((parts) => parts.map(encodeURIComponent).join("/"));

it("a secret in the path neither adds a segment nor moves the request to another host", () => {
  fc.assert(
    fc.property(path, text, (rest, secret) => {
      fc.pre(!/^\.{0,2}$/.test(secret));
      const { target } = injection(
        parseInject({ path: { bot_token: "{{secret.a}}" } }),
        new Map([["a", () => secret]]),
        undefined,
      );
      const url = new URL(`https://api.telegram.org/bot{bot_token}/${rest}?q=1#f`);
      const sent = new URL(target(url));
      expect(sent.origin).toBe("https://api.telegram.org");
      expect(sent.pathname.split("/")).toHaveLength(url.pathname.split("/").length);
      expect(decodeURIComponent(sent.pathname.split("/")[1] ?? "")).toBe(`bot${secret}`);
      expect(sent.search).toBe("?q=1");
    }),
  );
});

it("a secret in the query is one parameter, and the user's others stay as they are", () => {
  fc.assert(
    fc.property(fc.webQueryParameters(), text, (query, secret) => {
      const { target } = injection(
        parseInject({ query: { key: "{{secret.a}}" } }),
        new Map([["a", () => secret]]),
        undefined,
      );
      const url = new URL(`https://api.trello.com/1/boards?${query}`);
      const sent = new URL(target(url)).searchParams;
      expect(sent.getAll("key")).toEqual([secret]);
      url.searchParams.delete("key");
      sent.delete("key");
      expect([...sent]).toEqual([...url.searchParams]);
    }),
  );
});

it("a secret in a header is sent as it is, or refused", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", minLength: 1 }), (secret) => {
      const inject = parseInject({ header: { "X-Token": "{{secret.a}}" } });
      const headers = new Headers();
      try {
        injection(inject, new Map([["a", () => secret]]), undefined).setHeaders(headers);
      } catch (error) {
        expect((error as Error).message).toMatch(/line break or another character/);
        expect(secret).toMatch(/[^\t -~]/);
        return;
      }
      expect(headers.get("x-token")).toBe(secret.replace(/^[\t ]+|[\t ]+$/g, "")); // as HTTP trims it
    }),
  );
});

it("nothing of a secret stays in a text that is cleaned, however it is written there", () => {
  const unit = fc.constantFrom(...Array.from("ab/密鑰🔑 %&+.?'\\\"\n"));
  const secret = fc.string({ unit, minLength: 4, maxLength: 12 });
  fc.assert(
    fc.property(secret, secret, fc.constantFrom("", "-", "x=", "/"), (one, other, around) => {
      const secrets = [() => one, () => other];
      const values = new Map(secrets.map((value, i) => [String(i), value]));
      const { withoutSecrets } = injection({}, values, undefined);
      for (const plain of [one, other]) {
        for (const written of [plain, encodeURIComponent(plain), encodeURIComponent(plain).toLowerCase()])
          expect(withoutSecrets(`${around}${written}${around}`)).not.toContain(written);
        for (const written of [plain, JSON.stringify(plain).slice(1, -1)])
          expect(blankOut(`${around}${written}${around}`, secrets)).not.toContain(written);
      }
    }),
  );
});
