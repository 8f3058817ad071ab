"use client";

import { showLanguage, useLanguage } from "./language";

/** A button that names the other language, in that language. */
export function LanguageSwitch() {
  const other = useLanguage() === "en" ? "zh" : "en";
  return (
    <button
      type="button"
      className="icon-button needs-script"
      lang={other === "zh" ? "zh-Hant" : "en"}
      onClick={() => showLanguage(other)}
    >
      {other === "zh" ? "中文" : "English"}
    </button>
  );
}
