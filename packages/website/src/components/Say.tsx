import { Fragment, type ReactNode } from "react";
import type { Text } from "@/messages";

/**
 * Shows a text in both languages, of which the style sheet shows the one of `<html lang>`: so the language switches in
 * place, and pages need no script to be read. `a` within backticks is code.
 */
export function Say({ of: text }: { of: Text }): ReactNode {
  if (text.en === text.zh) return withCode(text.en);
  return (
    <>
      <span className="en" lang="en">
        {withCode(text.en)}
      </span>
      <span className="zh" lang="zh-Hant">
        {withCode(text.zh)}
      </span>
    </>
  );
}

function withCode(text: string): ReactNode {
  const parts = text.split("`");
  if (parts.length === 1) return text;
  return parts.map((part, index) =>
    index % 2 ? <code key={index}>{part}</code> : <Fragment key={index}>{part}</Fragment>,
  );
}
