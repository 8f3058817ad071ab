/** Access tokens: the request that fetches one, its response, and how long it is used (docs/contract.md#auth-recipes). */

import { webCrypto } from "../core/crypto.js";
import { ConfigurationError, InvalidArgumentError, TokenExchangeError } from "../core/errors.js";
import { originOf } from "../core/origins.js";
import { checkProxy } from "../core/proxies.js";
import { fromBase64, toBase64, utf8 } from "../core/sealing.js";
import { blankOut, type Secret, secretOf } from "../core/secret.js";
import { isText, type JsonObject, objectOf, parsed } from "../core/shapes.js";
import {
  cleanError,
  DeadlineExceeded,
  type Fetch,
  OWN_HEADERS,
  onAbort,
  ownOptions,
  runtimeFetch,
  textOfBody,
  waitFor,
  withDeadline,
  withoutRetries,
} from "../http/fetch.js";
import type { AccessToken, TokenSource } from "../http/memory.js";
import type { Values } from "../recipes/placeholders.js";
import type { Grant } from "../recipes/recipe.js";

const REFRESH_BEFORE = 60; // seconds before a token expires in which a new one is fetched
// Seconds to wait for a token that another call fetches. In Workers, its connection ends with the request that it
// belongs to, and the promise is never settled.
const SHARED = 5;
const LONGEST = 1e6; // bytes of a response
const LIFETIME = 3600; // seconds: the longest that Google accepts for an assertion

/** Reads a service account's key file. */
export function readAccount(text: Secret): Record<string, string> {
  const account = objectOf(parsed(text()));
  if (isText(account?.["client_email"]) && isText(account["private_key"]))
    return account as Record<string, string>;
  throw new InvalidArgumentError(
    "the service account must be the text of its JSON key file, with client_email and private_key (Google Cloud console → IAM → Service accounts → Keys)",
  );
}

/**
 * Makes a source of access tokens.
 *
 * @param timeout - Seconds for one exchange.
 * @param store - Stores a refresh token that replaces the one in use.
 */
export function tokenSource(
  service: string,
  grant: Grant,
  given: Values,
  timeout: number,
  store: (key: string, value: Secret) => Promise<void>,
): TokenSource {
  const values = new Map(given);
  let token: AccessToken | undefined;
  let pending: Promise<AccessToken> | undefined;

  const fetchToken = async (fetch: Fetch): Promise<AccessToken> => {
    const form = await tokenForm(grant, values);
    const sent = [...values.values()];
    const [status, text] = await exchange(service, grant.endpoint, form, timeout, fetch, sent);
    const fields = objectOf(parsed(text)) ?? {};
    token = readToken(service, status, fields, sent);
    const { key, clientId } = grant;
    const rotated = clientId && secretOf(fields["refresh_token"]);
    if (rotated && rotated() !== values.get(key)?.()) {
      values.set(key, rotated); // the provider has revoked the one in use
      try {
        await store(key, rotated);
      } catch (error) {
        console.warn(`arcrun: the new refresh token ${key} could not be stored: ${error}`);
      }
    }
    return token;
  };

  return {
    get: async (fetch, signal, stale) => {
      if (token && token !== stale && performance.now() < token.useUntil) return token;
      const found = pending && (await waitFor(pending, signal, SHARED));
      if (found) return found;
      const own = fetchToken(fetch);
      const forget = (): void => {
        if (pending === own) pending = undefined;
      };
      pending = own;
      own.then(forget, forget);
      const stop = onAbort(signal, forget);
      return waitFor(own, signal).finally(stop) as Promise<AccessToken>;
    },
    uses: (others) =>
      others.size === values.size && [...others].every(([key, secret]) => values.get(key)?.() === secret()),
  };
}

/** Sends the form to the token endpoint; returns the status and body of the response. */
async function exchange(
  service: string,
  endpoint: string,
  form: Secret,
  timeout: number,
  fetch: Fetch,
  sent: Secret[],
): Promise<[number, string]> {
  if (fetch === runtimeFetch) checkProxy(originOf(endpoint) ?? "");
  try {
    return await withDeadline(timeout, null, async (signal) => {
      const response = await fetch(endpoint, {
        ...ownOptions(),
        ...withoutRetries(), // a refresh token may be good for one request
        method: "POST",
        body: form(),
        headers: {
          "Content-Type": "application/x-www-form-urlencoded",
          Accept: "application/json",
          ...OWN_HEADERS,
        },
        redirect: "manual",
        signal,
      });
      return [response.status, await textOfBody(response, LONGEST, "")];
    });
  } catch (error) {
    if (error instanceof ConfigurationError) throw error;
    const reason =
      error instanceof DeadlineExceeded
        ? "no response in time"
        : cleanError(error, (text) => blankOut(text, sent)).message;
    throw new TokenExchangeError(
      `'${service}': the token endpoint ${endpoint} could not be reached (${reason})`,
    );
  }
}

/** Returns the form that the token endpoint accepts. */
async function tokenForm(grant: Grant, values: Values): Promise<Secret> {
  const form = new URLSearchParams();
  const { endpoint, scopes, key, clientId, clientSecret } = grant;
  const secret = values.get(key) as Secret;
  if (!clientId) {
    form.set("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer");
    form.set("assertion", await assertion(readAccount(secret), endpoint, scopes));
  } else {
    form.set("grant_type", "refresh_token");
    form.set("refresh_token", secret());
    form.set("client_id", clientId.render(values));
    // Left out if it holds an optional secret that was not given: a public client has none.
    if (clientSecret?.secretKeys.every((key) => values.has(key)))
      form.set("client_secret", clientSecret.render(values));
    if (scopes.length) form.set("scope", scopes.join(" "));
  }
  const text = form.toString();
  return () => text;
}

const base64Url = (bytes: Uint8Array): string =>
  toBase64(bytes).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

/** Returns the signed JWT (RS256) that a service account proves its identity with. */
async function assertion(
  account: Record<string, string>,
  audience: string,
  scopes: readonly string[],
): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const kid = account["private_key_id"];
  const header = { alg: "RS256", typ: "JWT", ...(kid && { kid }) };
  const claims = {
    iss: account["client_email"],
    scope: scopes.join(" "),
    aud: audience,
    iat: now,
    exp: now + LIFETIME,
  };
  const signed = [header, claims].map((part) => base64Url(utf8(JSON.stringify(part)))).join(".");
  const { subtle } = webCrypto();
  const algorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
  let key: CryptoKey;
  try {
    const der = fromBase64((account["private_key"] as string).replace(/-----[^-]+-----|\s/g, ""));
    key = await subtle.importKey("pkcs8", der, algorithm, false, ["sign"]);
  } catch {
    throw new InvalidArgumentError(
      "the service account's private_key is not an RSA key in PEM (PKCS #8: BEGIN PRIVATE KEY)",
    );
  }
  const signature = await subtle.sign(algorithm, key, utf8(signed));
  return `${signed}.${base64Url(new Uint8Array(signature))}`;
}

/** Reads the token endpoint's response. */
function readToken(service: string, status: number, fields: JsonObject, sent: Secret[]): AccessToken {
  const access = secretOf(fields["access_token"]);
  // Not what no header can carry (RFC 6749, A.12): it would be kept.
  if (status !== 200 || !access || !/^[ -~]+$/.test(access())) {
    const details = ["error", "error_description"].flatMap((key) => fields[key] || []).join(": ");
    const reason = blankOut(details, sent).slice(0, 300) || "no access_token in the response";
    throw new TokenExchangeError(
      `'${service}': the token endpoint returned HTTP ${status}: ${reason}; check the secrets that auth.setup('${service}') stored`,
    );
  }
  const seconds = fields["expires_in"];
  const lifetime = typeof seconds === "number" ? seconds : LIFETIME;
  return {
    access,
    useUntil: performance.now() + Math.max(0, lifetime - REFRESH_BEFORE) * 1000,
  };
}
