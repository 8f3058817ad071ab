"use client";

import { useEffect } from "react";
import type { Text } from "@/messages";
import { useLanguage } from "./language";

/** Keeps the title of the window in the language of the page. */
export function DocumentTitle({ of: text }: { of: Text }) {
  const language = useLanguage();
  useEffect(() => {
    document.title = text[language];
  }, [language, text]);
  return null;
}
