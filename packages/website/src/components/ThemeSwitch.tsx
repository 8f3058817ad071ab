"use client";

import { useState } from "react";
import type { Text } from "@/messages";
import { remember, useLanguage } from "./language";

const THEMES = ["system", "light", "dark"] as const;
type Theme = (typeof THEMES)[number];

/** A button that goes through system, light and dark. */
export function ThemeSwitch({ label, names }: { label: Text; names: Record<Theme, Text> }) {
  const language = useLanguage();
  const [theme, setTheme] = useState<Theme>();
  function next() {
    const root = document.documentElement;
    const shown = THEMES.indexOf((root.dataset.theme as Theme | undefined) ?? "system");
    const chosen = THEMES[(shown + 1) % THEMES.length] ?? "system";
    if (chosen === "system") delete root.dataset.theme;
    else root.dataset.theme = chosen;
    remember("arcrun.theme", chosen);
    setTheme(chosen);
  }
  const name = theme && names[theme][language];
  return (
    <button
      type="button"
      className="icon-button theme-switch needs-script"
      aria-label={name ? `${label[language]}: ${name}` : label[language]}
      title={name ?? label[language]}
      onClick={next}
    >
      <svg width="18" height="18" viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="2" aria-hidden="true">
        <circle cx="12" cy="12" r="9" />
        <path d="M12 3a9 9 0 0 0 0 18Z" fill="currentColor" stroke="none" />
      </svg>
      <span className="only-read-aloud" role="status">
        {name}
      </span>
    </button>
  );
}
