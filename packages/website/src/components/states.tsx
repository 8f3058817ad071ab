import type { ReactNode } from "react";
import type { EngineError } from "@/engine/client";
import type { Text } from "@/messages";
import { Say } from "./Say";

/** What is shown where nothing is yet, with what a person can do about it. */
export function Empty({ title, text, children }: { title: Text; text: Text; children?: ReactNode }) {
  return (
    <div className="empty">
      <h2>
        <Say of={title} />
      </h2>
      <p>
        <Say of={text} />
      </p>
      {children && <p className="buttons centered">{children}</p>}
    </div>
  );
}

/** The place of something that is being loaded. */
export function Loading({ label }: { label: Text }) {
  return (
    <div className="skeleton" role="status">
      <span />
      <span />
      <span />
      <p className="only-read-aloud">
        <Say of={label} />
      </p>
    </div>
  );
}

interface FailureProps {
  readonly error: EngineError;
  readonly down: Text;
  readonly tryAgain: Text;
  readonly again?: () => void;
}

/** What went wrong, in the engine's own words, and a button to try again. */
export function Failure({ error, down, tryAgain, again }: FailureProps) {
  return (
    <div className="notice bad" role="alert">
      <span>{error.status === 0 ? <Say of={down} /> : <span lang="en">{error.message}</span>}</span>
      {again && (
        <button type="button" className="button small" onClick={again}>
          <Say of={tryAgain} />
        </button>
      )}
    </div>
  );
}
