import { expect, it } from "vitest";
import { isSecure, originOf, withoutSlashes } from "../../src/core/origins.js";

it.each([
  ["https://api.notion.com/v1", "https://api.notion.com"],
  ["HTTPS://API.Notion.com:443/v1", "https://api.notion.com"],
  ["http://127.0.0.1:8787?x", "http://127.0.0.1:8787"],
  ["http://[::1]:80/", "http://[::1]"],
  ["http://[::1]:8080/", "http://[::1]:8080"],
  ["https://a@b.example", undefined],
  ["https://api.notion.com\\@evil.example", undefined],
  ["https://api.notion.com\u3002evil.example", undefined],
  ["https://api.notion.com .evil.example", undefined],
  [" https://api.notion.com", undefined],
  ["//api.notion.com", undefined],
  ["javascript:alert(1)", undefined],
  ["", undefined],
])("the origin of %j is %j", (url, origin) => expect(originOf(url)).toBe(origin));

it.each([
  ["https://a.example", true],
  ["http://localhost:1", true],
  ["http://a.localhost", true],
  ["http://127.1.2.3:80", true],
  ["http://[::1]", true],
  ["http://127.0.0.1.evil.example", false],
  ["http://localhost.evil.example", false],
  ["http://10.0.0.1", false],
])("what is sent to %s can be read by no one else: %s", (origin, secure) =>
  expect(isSecure(origin)).toBe(secure),
);

it.each([
  ["https://a.example//", "https://a.example"],
  ["https://a.example/x", "https://a.example/x"],
  [`/${"/".repeat(200_000)}x`, `/${"/".repeat(200_000)}x`],
])("the slashes at the end of a URL are taken off", (url, expected) =>
  expect(withoutSlashes(url)).toBe(expected),
);
