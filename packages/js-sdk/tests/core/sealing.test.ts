import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromBase64, readEnvelope, seal, unseal } from "../../src/core/sealing.js";
import { UnexpectedResponseError } from "../../src/index.js";

interface Vector {
  name: string;
  api_key: string;
  credential_name: string;
  value: string;
  iv: string;
  encrypted: string;
}

const vectors: Vector[] = JSON.parse(
  readFileSync(new URL("../../../../conformance/vectors/sealing-v1.json", import.meta.url), "utf8"),
);

describe.each(vectors)("the vector “$name”", ({ api_key, credential_name, value, iv, encrypted }) => {
  it("is sealed byte for byte", async () => {
    const sealed = await seal(
      () => api_key,
      credential_name,
      () => value,
      fromBase64(iv),
    );
    expect(sealed).toEqual({ encrypted, iv });
  });

  it("opens", async () => {
    expect(await unseal(() => api_key, credential_name, { encrypted, iv })).toBe(value);
  });

  it("does not open under another name", async () => {
    const opening = unseal(() => api_key, `${credential_name}_2`, { encrypted, iv });
    await expect(opening).rejects.toThrow(UnexpectedResponseError);
  });
});

it("there are vectors", () => expect(vectors.length).toBeGreaterThan(4));

const key = () => `ak_${"0".repeat(48)}`;

it("what is sealed opens again", () =>
  fc.assert(
    fc.asyncProperty(
      fc.stringMatching(/^\w{1,20}$/),
      fc.string({ unit: "grapheme", minLength: 1 }),
      async (name, value) => {
        expect(await unseal(key, name, await seal(key, name, () => value))).toBe(value);
      },
    ),
  ));

it("seals with a fresh iv each time", async () => {
  const one = await seal(key, "tok", () => "秘密");
  const other = await seal(key, "tok", () => "秘密");
  expect(one.iv).not.toBe(other.iv);
  expect(fromBase64(one.iv)).toHaveLength(12);
  expect(one.encrypted).not.toBe(other.encrypted);
});

it("seals a value of a megabyte", async () => {
  const value = "密".repeat(400_000);
  expect(await unseal(key, "tok", await seal(key, "tok", () => value))).toBe(value);
});

it("tells what to do about an altered envelope, without the key", async () => {
  const opening = unseal(key, "tok", { encrypted: "AAAA", iv: "not base64!" });
  await expect(opening).rejects.toThrow(/^the credential 'tok' does not open .* push it again$/);
});

it.each([
  [
    { name: "tok", encrypted: "YQ==", iv: "Yg==" },
    { encrypted: "YQ==", iv: "Yg==" },
  ],
  [{ name: "other", encrypted: "YQ==", iv: "Yg==" }, undefined],
  [{ success: true, credentials: [], total: 0 }, undefined],
  [{ name: "tok", encrypted: "", iv: "Yg==" }, undefined],
])("trusts a sealed read only in its shape: %j", (content, envelope) => {
  expect(readEnvelope("tok", content)).toEqual(envelope);
});
