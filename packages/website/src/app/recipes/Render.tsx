"use client";

import { type FormEvent, useState } from "react";
import { Say } from "@/components/Say";
import { Failure } from "@/components/states";
import { callWithKey } from "@/engine/account";
import { asEngineError, type EngineError } from "@/engine/client";
import { filled, type Text } from "@/messages";
import type { RecipeTexts } from "./OwnRecipes";
import { Provenance, type Range } from "./Provenance";

interface Rendered {
  readonly messages: readonly { readonly role: string; readonly content: string; readonly ranges: readonly Range[] }[];
  readonly estimated_tokens: number;
}

/** Assembles a prompt from a context, and shows in color where each part of it comes from. */
export function Render({ name, t, common }: RecipeTexts & { name: string }) {
  const [rendered, setRendered] = useState<Rendered>();
  const [error, setError] = useState<EngineError>();
  const [invalid, setInvalid] = useState<Text>();
  async function render(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    setError(undefined);
    setInvalid(undefined);
    let context: unknown;
    try {
      context = JSON.parse(String(new FormData(event.currentTarget).get("context")));
    } catch (problem) {
      setInvalid(filled(t.contextInvalid, { reason: String(problem) }));
      return;
    }
    try {
      setRendered(await callWithKey<Rendered>(`/prompt-recipes/${name}/render`, { method: "POST", body: { context } }));
    } catch (problem) {
      setError(asEngineError(problem));
    }
  }
  return (
    <section className="card recipe" aria-labelledby="render-title">
      <h3 id="render-title">
        <Say of={t.render} />
      </h3>
      <p className="soft">
        <Say of={t.renderText} />
      </p>
      <form onSubmit={render}>
        <div className="field">
          <label htmlFor="context">
            <Say of={t.context} />
          </label>
          <textarea id="context" name="context" className="input" rows={5} defaultValue="{}" spellCheck={false} />
        </div>
        <button type="submit" className="button primary">
          <Say of={t.renderButton} />
        </button>
      </form>
      {invalid && (
        <p className="notice bad" role="alert">
          <Say of={invalid} />
        </p>
      )}
      {error && <Failure error={error} down={common.engineDown} tryAgain={common.tryAgain} />}
      {rendered && (
        <div role="status">
          <p className="fine legend">
            <Say of={filled(t.tokens, { count: rendered.estimated_tokens })} />
          </p>
          {rendered.messages.map((message) => (
            <div key={message.role}>
              <h4>{message.role}</h4>
              <Provenance {...message} t={t} />
            </div>
          ))}
        </div>
      )}
    </section>
  );
}
