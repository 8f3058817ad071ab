"use client";

import { useSearchParams } from "next/navigation";
import { useEffect, useSyncExternalStore } from "react";

const CHANGED = "arcrun:query";

/** Return a parameter of the address; empty if there is none, and in what the build writes. */
export function useQuery(name: string): string {
  return useSyncExternalStore(
    subscribe,
    () => new URLSearchParams(location.search).get(name) ?? "",
    () => "",
  );
}

/** Write parameters into the address, so that it can be shared and comes back on reload; an empty one is left out. */
export function setQuery(changes: Readonly<Record<string, string>>): void {
  const parameters = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(changes)) {
    if (value) parameters.set(name, value);
    else parameters.delete(name);
  }
  const query = parameters.toString();
  history.replaceState(history.state, "", `${location.pathname}${query ? `?${query}` : ""}${location.hash}`);
  dispatchEvent(new Event(CHANGED));
}

/** Tells the parts of a page that a link has changed the address; the page that it leads to may be the same. */
export function AddressWatcher() {
  const parameters = useSearchParams();
  useEffect(() => {
    dispatchEvent(new Event(CHANGED));
  }, [parameters]);
  return null;
}

function subscribe(changed: () => void): () => void {
  addEventListener(CHANGED, changed);
  addEventListener("popstate", changed);
  return () => {
    removeEventListener(CHANGED, changed);
    removeEventListener("popstate", changed);
  };
}
