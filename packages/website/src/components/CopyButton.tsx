"use client";

import { useEffect, useState } from "react";
import type { Text } from "@/messages";
import { Say } from "./Say";

export interface CopyTexts {
  readonly copy: Text;
  readonly copied: Text;
  readonly copyFailed: Text;
}

/** Copies a text, and says whether that worked. */
export function CopyButton({ text, labels, className = "copy" }: { text: string; labels: CopyTexts; className?: string }) {
  const [state, setState] = useState<keyof CopyTexts>("copy");
  useEffect(() => {
    if (state === "copy") return;
    const timer = setTimeout(() => setState("copy"), 2500);
    return () => clearTimeout(timer);
  }, [state]);
  async function copy() {
    try {
      await navigator.clipboard.writeText(text);
      setState("copied");
    } catch {
      setState("copyFailed");
    }
  }
  return (
    <button type="button" className={`${className} needs-script`} onClick={copy}>
      <span aria-live="polite">
        <Say of={labels[state]} />
      </span>
    </button>
  );
}
