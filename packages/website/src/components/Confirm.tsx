"use client";

import { type ReactNode, type RefObject, useId, useState } from "react";
import type { Text } from "@/messages";
import { Say } from "./Say";

interface Props {
  readonly dialog: RefObject<HTMLDialogElement | null>;
  readonly title: Text;
  readonly text: Text;
  readonly action: Text;
  readonly cancel: Text;
  readonly danger?: boolean;
  /** Whether the action may be taken yet. */
  readonly ready?: boolean;
  readonly onConfirm: () => Promise<void>;
  readonly children?: ReactNode;
}

/** Asks before something that can't be undone; the dialog of the browser keeps the focus and closes with Escape. */
export function Confirm({ dialog, title, text, action, cancel, danger, ready = true, onConfirm, children }: Props) {
  const titleId = useId();
  const [busy, setBusy] = useState(false);
  async function confirm() {
    setBusy(true);
    await onConfirm().finally(() => setBusy(false));
    dialog.current?.close();
  }
  return (
    <dialog ref={dialog} className="dialog" aria-labelledby={titleId}>
      <h2 id={titleId}>
        <Say of={title} />
      </h2>
      <p>
        <Say of={text} />
      </p>
      {children}
      <div className="buttons">
        <button type="button" className="button" onClick={() => dialog.current?.close()}>
          <Say of={cancel} />
        </button>
        <button
          type="button"
          className={danger ? "button danger" : "button primary"}
          disabled={busy || !ready}
          onClick={confirm}
        >
          <Say of={action} />
        </button>
      </div>
    </dialog>
  );
}
