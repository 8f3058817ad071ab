import type { Text } from "@/messages";

const LOCALES = { en: "en-GB", zh: "zh-TW" } as const;

/** Return a moment in both languages; the engine gives seconds or an ISO text. */
export function moment(value: number | string): Text {
  const date = new Date(typeof value === "number" ? value * 1000 : value);
  const format = (locale: string) => date.toLocaleString(locale, { dateStyle: "medium", timeStyle: "short" });
  return { en: format(LOCALES.en), zh: format(LOCALES.zh) };
}
