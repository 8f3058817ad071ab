"use client";

import { type KeyboardEvent, type ReactNode, useId, useRef, useState } from "react";
import type { Text } from "@/messages";
import { useLanguage } from "./language";

export interface Tab {
  readonly name: string;
  readonly label: ReactNode;
  readonly content: ReactNode;
}

const STEPS: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1 };

/** Tabs as the ARIA practices describe them; without JavaScript all contents are shown. */
export function Tabs({ label, tabs }: { label: Text; tabs: readonly Tab[] }) {
  const language = useLanguage();
  const id = useId();
  const [shown, setShown] = useState(0);
  const buttons = useRef<(HTMLButtonElement | null)[]>([]);
  function move(event: KeyboardEvent) {
    const step = STEPS[event.key];
    if (step === undefined) return;
    const next = (shown + step + tabs.length) % tabs.length;
    setShown(next);
    buttons.current[next]?.focus();
    event.preventDefault();
  }
  return (
    <div className="tabs">
      <div role="tablist" aria-label={label[language]} onKeyDown={move}>
        {tabs.map((tab, index) => (
          <button
            key={tab.name}
            ref={(button) => {
              buttons.current[index] = button;
            }}
            type="button"
            role="tab"
            id={`${id}-${tab.name}`}
            aria-selected={index === shown}
            aria-controls={`${id}-${tab.name}-panel`}
            tabIndex={index === shown ? 0 : -1}
            onClick={() => setShown(index)}
          >
            {tab.label}
          </button>
        ))}
      </div>
      {tabs.map((tab, index) => (
        <div
          key={tab.name}
          role="tabpanel"
          id={`${id}-${tab.name}-panel`}
          aria-labelledby={`${id}-${tab.name}`}
          hidden={index !== shown}
        >
          {tab.content}
        </div>
      ))}
    </div>
  );
}
