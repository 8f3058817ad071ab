import fc from "fast-check";
import { expect, it } from "vitest";
import { blankOut, secretOf } from "../../src/core/secret.js";

it("text with a lone surrogate is not a secret, all other text is", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", minLength: 1 }), (value) => {
      expect(secretOf(value)?.()).toBe(value);
      expect(secretOf(`${value}\ud800`)).toBeUndefined();
    }),
  );
});

it("blanks out the longer of two secrets that share their beginning", () => {
  const secrets = [() => "canary", () => "canary-long", () => "x"];
  expect(blankOut("canary-long canary x", secrets)).toBe("*** *** x");
  expect(blankOut(JSON.stringify("密鑰\n字元"), [() => "密鑰\n字元"])).toBe('"***"');
  expect(blankOut("refresh_token=%E5%AF%86+a%26b&c=%E5%AF%86%20a%26b", [() => "密 a&b"])).toBe(
    "refresh_token=***&c=***",
  );
  expect(blankOut(String.raw`\u5bc6\u9470\n\u5b57`, [() => "密鑰\n字"])).toBe("***");
});

it("blanks out a secret as a URL or a form writes it", () => {
  const secret = () => "1//0a b+c=密";
  const written = ["1%2F%2F0a%20b%2Bc%3D%E5%AF%86", "1%2F%2F0a+b%2Bc%3D%E5%AF%86"];
  for (const text of written)
    expect(blankOut(`refresh_token=${text}&x=1`, [secret])).toBe("refresh_token=***&x=1");
});
