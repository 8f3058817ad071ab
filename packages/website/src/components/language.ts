"use client";

import { useSyncExternalStore } from "react";
import type { Text } from "@/messages";

export type Language = keyof Text;

const CHANGED = "arcrun:language";
const HTML_LANG: Record<Language, string> = { en: "en", zh: "zh-Hant" };

/** Return the language that the page shows: `public/boot.js` has set it. */
export function currentLanguage(): Language {
  return document.documentElement.lang.startsWith("zh") ? "zh" : "en";
}

/** Show another language, in place, and remember it. */
export function showLanguage(language: Language): void {
  document.documentElement.lang = HTML_LANG[language];
  remember("arcrun.language", language);
  dispatchEvent(new Event(CHANGED));
}

/** Keep a choice for the next visit, where the browser lets us. */
export function remember(name: string, value: string): void {
  try {
    localStorage.setItem(name, value);
  } catch {
    // A browser that keeps nothing shows the choice for this visit.
  }
}

/** Return the language, for what can't stand in the page twice: attributes, titles, dates. */
export function useLanguage(): Language {
  return useSyncExternalStore(subscribe, currentLanguage, () => "en");
}

function subscribe(changed: () => void): () => void {
  addEventListener(CHANGED, changed);
  return () => removeEventListener(CHANGED, changed);
}
