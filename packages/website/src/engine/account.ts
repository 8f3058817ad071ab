"use client";

import { useSyncExternalStore } from "react";
import { asEngineError, call, type EngineError } from "./client";
import type { Health, KeyResponse, Me, ShownKey } from "./types";

/** What the pages know of the person: it lives in this tab, for as long as the tab shows the site. */
export interface Account {
  readonly state: "unknown" | "loading" | "ready" | "failed";
  readonly health?: Health | undefined;
  readonly me?: Me | undefined;
  /** The key itself, once the engine has shown it, or the person has entered it. */
  readonly key?: string | undefined;
  /** Whether the engine has refused the key that was shown here. */
  readonly keyRefused?: boolean;
  /** Whether the person must log in again before the key is shown. */
  readonly loginTooOld?: boolean;
  readonly error?: EngineError | undefined;
}

const UNKNOWN: Account = { state: "unknown" };
let account = UNKNOWN;
const listeners = new Set<() => void>();

function set(change: Partial<Account>): void {
  account = { ...account, ...change };
  for (const listener of listeners) listener();
}

/** Return what is known of the person. */
export function useAccount(): Account {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => account,
    () => UNKNOWN,
  );
}

/** Ask the engine who is logged in, and after a fresh log-in for the key, which it makes the first time. */
export async function load(): Promise<void> {
  if (account.state === "loading") return;
  set({ state: "loading", error: undefined });
  try {
    const health = await call<Health>("/health");
    const me = await whoIsLoggedIn();
    set({ health, me, ...(me?.api_key ? { key: me.api_key } : {}) });
    if (me && !account.key) await register();
    set({ state: "ready" });
  } catch (error) {
    set({ state: "failed", error: asEngineError(error) });
  }
}

async function whoIsLoggedIn(): Promise<Me | undefined> {
  try {
    return await call<Me>("/me");
  } catch (error) {
    if (asEngineError(error).status === 401) return undefined;
    throw error;
  }
}

/** Ask again who is logged in: another tab may have rotated or revoked the key that is shown here. */
export async function recheck(): Promise<void> {
  const known = account.me?.key?.id;
  if (!known || !account.me?.session) return;
  const me = await whoIsLoggedIn().catch(() => account.me);
  if (me?.key?.id !== known) set({ key: undefined, keyRefused: true });
}

/** Begin anew with what the engine says now. */
export function reload(): void {
  account = UNKNOWN;
  load();
}

async function register(): Promise<void> {
  const welcome = isFirstPageAfterLogIn();
  // The deployed engine has no such route: there the key comes from `/me`.
  if (!can(account.health, "accounts")) return;
  // Later, somebody without a key has revoked it: a new one is made when they say so.
  if (account.me?.key === null && !welcome) return;
  try {
    keep(await call<KeyResponse>("/register", { method: "POST" }));
  } catch (error) {
    if (asEngineError(error).code !== "login_too_old") throw error;
    set({ loginTooOld: true });
  }
}

/** The parameter by which a log-in says that it has just ended. */
export const WELCOME = "welcome";

function isFirstPageAfterLogIn(): boolean {
  const address = new URL(location.href);
  const welcome = address.searchParams.has(WELCOME);
  address.searchParams.delete(WELCOME);
  if (welcome) history.replaceState(history.state, "", address);
  return welcome;
}

/** Make a key for an account that has none. */
export async function makeKey(): Promise<void> {
  keep(await call<KeyResponse>("/register", { method: "POST" }));
}

/** Replace the key; return the credentials that could not be sealed again. */
export async function rotateKey(): Promise<readonly string[]> {
  const response = await call<KeyResponse>("/me/api-key/rotate", { method: "PUT" });
  keep(response);
  return response.unopened ?? [];
}

/** End the key for good. */
export async function revokeKey(): Promise<void> {
  await call("/me/api-key", { method: "DELETE" });
  set({ key: undefined, keyRefused: false, me: { ...account.me, key: null } });
}

/** Use a key that the person has entered; the engine says whether it is valid. */
export async function enterKey(key: string): Promise<void> {
  const me = await call<Me>("/me", { key });
  set({ key, me: account.me ?? me, keyRefused: false });
}

/** End the session, and forget everything of the person. */
export async function logOut(): Promise<void> {
  await call("/auth/logout", { method: "POST" });
  account = UNKNOWN;
  set({ state: "ready" });
}

/** Send a request with the key; if the engine refuses it, every part of the page learns of it. */
export async function callWithKey<T>(path: string, options: { method?: string; body?: unknown } = {}): Promise<T> {
  const { key } = account;
  try {
    return await call<T>(path, { ...options, key });
  } catch (error) {
    if (asEngineError(error).status === 401 && key === account.key) set({ key: undefined, keyRefused: true });
    throw error;
  }
}

function keep({ api_key: key, key: shown }: KeyResponse): void {
  const kept: ShownKey | null | undefined = shown ?? account.me?.key;
  set({ key, keyRefused: false, loginTooOld: false, me: { ...account.me, ...(kept ? { key: kept } : {}) } });
}

/** Tell whether the engine can do something; one that lists nothing is the deployed one. */
export function can(health: Health | undefined, capability: string): boolean {
  return health?.capabilities?.includes(capability) ?? false;
}
