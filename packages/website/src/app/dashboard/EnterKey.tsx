"use client";

import { type FormEvent, useState } from "react";
import { Say } from "@/components/Say";
import { enterKey } from "@/engine/account";
import { asEngineError } from "@/engine/client";
import type { Text } from "@/messages";
import type { DashboardTexts } from "./Dashboard";

/** A form for somebody who has a key: it is kept in memory only. */
export function EnterKey({ t }: { t: DashboardTexts }) {
  const [problem, setProblem] = useState<Text>();
  async function enter(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const key = String(new FormData(event.currentTarget).get("key")).trim();
    try {
      await enterKey(key);
    } catch (error) {
      const { status, message } = asEngineError(error);
      setProblem(status === 401 ? t.keyRefused : { en: message, zh: message });
    }
  }
  return (
    <details className="enter-key">
      <summary>
        <Say of={t.enterKey} />
      </summary>
      <form onSubmit={enter}>
        <div className="field">
          <label htmlFor="entered-key">
            <Say of={t.keyLabel} />
          </label>
          <input
            id="entered-key"
            name="key"
            className="input"
            type="password"
            autoComplete="off"
            spellCheck={false}
            required
            aria-describedby="entered-key-help"
            aria-invalid={problem !== undefined}
          />
          <p id="entered-key-help" className="fine">
            <Say of={t.enterKeyText} />
          </p>
        </div>
        {problem && (
          <p className="notice bad" role="alert">
            <Say of={problem} />
          </p>
        )}
        <button type="submit" className="button">
          <Say of={t.useKey} />
        </button>
      </form>
    </details>
  );
}
