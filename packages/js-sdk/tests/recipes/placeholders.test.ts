import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InvalidArgumentError, UnexpectedResponseError } from "../../src/index.js";
import { renderBaseUrl, scan, Template } from "../../src/recipes/placeholders.js";

describe("scan", () => {
  it.each([
    ["", [""]],
    ["plain 文字", ["plain 文字"]],
    ["{{secret.a}}", ["", "secret.a", ""]],
    ["Bearer {{ secret.a }}!", ["Bearer ", "secret.a", "!"]],
    ["{{a}}{{b}}", ["", "a", "", "b", ""]],
    ["{{\n\t\u00a0a b\u3000}}", ["", "a b", ""]],
    ["{{}}", ["", "", ""]],
    ["{{ }}", ["", "", ""]],
    ["{{{a}}}", ["", "{a", "}"]],
    ["{{ {{a}} }}", ["", "{{a", " }}"]],
    ["a}} {{b", ["a}} {{b"]],
    ["{{}", ["{{}"]],
    ["{a} {{b} }", ["{a} {{b} }"]],
  ])("splits %j into %j", (text, parts) => expect(scan(text)).toEqual(parts));

  it("finds what its definition as a regular expression finds", () => {
    const text = fc
      .array(fc.constantFrom("{", "}", "{{", "}}", " ", "\n", "\ufeff", "secret.a", "x", "密"), {
        maxLength: 24,
      })
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(text, (text) => {
        expect(scan(text)).toEqual(text.split(/\{\{\s*(.*?)\s*\}\}/s));
      }),
      { numRuns: 2000 },
    );
  });

  // The regular expression takes seconds for `{{` and 2,000 spaces, eight times as long for twice as many.
  it.each([
    ["{{ and white space", (n: number) => `{{${" ".repeat(n)}`],
    ["many {{", (n: number) => "{{ ".repeat(n)],
    ["many placeholders", (n: number) => "{{ a }}".repeat(n)],
  ])("takes time that grows with the length: %s", (_, textOf) => {
    const milliseconds = (text: string): number => {
      const started = performance.now();
      scan(text);
      return performance.now() - started;
    };
    const least = (text: string): number => Math.min(...Array.from({ length: 5 }, () => milliseconds(text)));
    const [short, long] = [textOf(20_000), textOf(200_000)];
    expect(least(long)).toBeLessThan(40 * least(short) + 50);
  });
});

const values = new Map([
  ["a", () => "x{{secret.b}}"],
  ["b", () => "y"],
]);

describe("a template", () => {
  it("names the keys of its secrets, in order", () => {
    const template = new Template("Basic {{secret.b}}:{{ secret.a }} {{runtime.access_token}} {{secret.b}}");
    expect(template.secretKeys).toEqual(["b", "a", "b"]);
    expect(template.isConstant).toBe(false);
    expect(new Template("Basic }}").isConstant).toBe(true);
  });

  it("is filled in without scanning the values", () => {
    const template = new Template("{{secret.a}} {{ runtime.access_token }} {x}");
    expect(template.render(values, () => "{{secret.b}}")).toBe("x{{secret.b}} {{secret.b}} {x}");
  });

  it.each(["{{secret.other}}", "{{ env.PATH }}", "{{secret.}}", "{{}}", "{{runtime.access_token}}"])(
    "cannot be filled in with %s",
    (text) => expect(() => new Template(text).render(values)).toThrow(UnexpectedResponseError),
  );

  it("fills a base URL in with parts of a host name only", () => {
    const template = new Template("https://{{secret.shop}}.example/v1");
    expect(renderBaseUrl(template, new Map([["shop", () => "my-Shop"]]))).toBe("https://my-Shop.example/v1");
    for (const value of ["a.b", "a/b", "a@b", "", "密", "a\n"])
      expect(() => renderBaseUrl(template, new Map([["shop", () => value]]))).toThrow(InvalidArgumentError);
  });
});
