// Computes sealing-v1.json with Node's own crypto, which shares no code with our SDKs: HKDF is
// implemented from RFC 5869 with HMAC, AES-256-GCM is createCipheriv, and every result is opened with
// WebCrypto before it is written. The inputs are fixed, so a second run writes the same bytes.
// Usage: node make_sealing_v1.mjs > sealing-v1.json

import { createCipheriv, createHmac, webcrypto } from "node:crypto";

const SALT = "arcrun.credentials.v1";
const INFO = "AES-256-GCM";

// These keys and values are used only here. Real keys have 48 digits: these have fewer, so that a search
// for real keys in published files does not find them.
const INPUTS = [
  {
    name: "ascii value",
    api_key: "ak_000102030405060708090a0b0c0d0e0f10111213",
    credential_name: "openai_api_key",
    value: "sk-test-0123456789",
    iv: "000102030405060708090a0b",
  },
  {
    name: "chinese value",
    api_key: "ak_fedcba9876543210fedcba9876543210fedcba98",
    credential_name: "notion_token",
    value: "密鑰・測試值 🔑 「河道」",
    iv: "a0a1a2a3a4a5a6a7a8a9aaab",
  },
  {
    name: "same value and iv under another name (the name is authenticated)",
    api_key: "ak_fedcba9876543210fedcba9876543210fedcba98",
    credential_name: "slack_bot_token",
    value: "密鑰・測試值 🔑 「河道」",
    iv: "a0a1a2a3a4a5a6a7a8a9aaab",
  },
  {
    name: "json document with line breaks, as a service account key is",
    api_key: "ak_0123456789abcdef0123456789abcdef01234567",
    credential_name: "google_service_account",
    value: '{\n  "type": "service_account",\n  "project_id": "示例",\n  "private_key": "-----BEGIN\\nEND-----\\n"\n}\n',
    iv: "ffffffffffffffffffffffff",
  },
  {
    name: "empty value",
    api_key: "ak_0123456789abcdef0123456789abcdef",
    credential_name: "E",
    value: "",
    iv: "000000000000000000000001",
  },
];

const hmac = (key, ...parts) => {
  const mac = createHmac("sha256", key);
  parts.forEach((part) => mac.update(part));
  return mac.digest();
};

// RFC 5869: extract, then expand; one block of SHA-256 is exactly the 32 bytes needed.
const derive = (apiKey) => {
  const pseudorandomKey = hmac(Buffer.from(SALT, "utf8"), Buffer.from(apiKey, "utf8"));
  return hmac(pseudorandomKey, Buffer.from(INFO, "utf8"), Buffer.from([1]));
};

const seal = (input) => {
  const cipher = createCipheriv("aes-256-gcm", derive(input.api_key), Buffer.from(input.iv, "hex"));
  cipher.setAAD(Buffer.from(`${SALT}:${input.credential_name}`, "utf8"));
  return Buffer.concat([cipher.update(input.value, "utf8"), cipher.final(), cipher.getAuthTag()]);
};

const open = async (input, sealed) => {
  const { subtle } = webcrypto;
  const utf8 = (text) => new TextEncoder().encode(text);
  const material = await subtle.importKey("raw", utf8(input.api_key), "HKDF", false, ["deriveKey"]);
  const key = await subtle.deriveKey(
    { name: "HKDF", hash: "SHA-256", salt: utf8(SALT), info: utf8(INFO) },
    material,
    { name: "AES-GCM", length: 256 },
    false,
    ["decrypt"],
  );
  const iv = Buffer.from(input.iv, "hex");
  const additionalData = utf8(`${SALT}:${input.credential_name}`);
  return new TextDecoder().decode(
    await subtle.decrypt({ name: "AES-GCM", iv, additionalData }, key, sealed),
  );
};

const vectors = [];
for (const input of INPUTS) {
  const sealed = seal(input);
  if ((await open(input, sealed)) !== input.value) throw new Error(`${input.name} does not open`);
  vectors.push({
    ...input,
    iv: Buffer.from(input.iv, "hex").toString("base64"),
    encrypted: sealed.toString("base64"),
  });
}
process.stdout.write(JSON.stringify(vectors, null, 2) + "\n");
