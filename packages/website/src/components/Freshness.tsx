"use client";

import { can } from "@/engine/account";
import { call } from "@/engine/client";
import type { Health } from "@/engine/types";
import { useEngine } from "@/engine/useEngine";
import type { Text } from "@/messages";
import { Say } from "./Say";

// Stands for the answer of an engine that is not asked.
const LACKING = "lacking";

interface Props {
  readonly path: string;
  /** What an engine lists that has such a catalog; without it, every engine does. */
  readonly capability?: string;
  readonly field: string;
  readonly id: string;
  /** What the site was built with. */
  readonly built: readonly string[];
  readonly down: Text;
  /** Shown for an engine without such a catalog. */
  readonly builtIn?: Text;
  /** Shown before the names of what the engine has besides, and of what it lacks. */
  readonly more: Text;
  readonly fewer: Text;
}

/** Compares a catalog that was built in with the engine's own, and says what differs, or that the engine has none. */
export function Freshness({ path, capability, field, id, built, down, builtIn, more, fewer }: Props) {
  const { value, error } = useEngine(async () => {
    if (capability && !can(await call<Health>("/health"), capability)) return { [LACKING]: true };
    return call<Record<string, unknown>>(`${path}?limit=200`);
  }, path);
  if (error?.status === 0)
    return (
      <p className="notice warn" role="status">
        <Say of={down} />
      </p>
    );
  if (value?.[LACKING] && builtIn)
    return (
      <p className="notice" role="status">
        <Say of={builtIn} />
      </p>
    );
  const entries = value?.[field];
  if (!Array.isArray(entries)) return null;
  const names = new Set(entries.map((entry: Record<string, unknown>) => String(entry[id])));
  const lacking = built.filter((name) => !names.has(name));
  const added = [...names].filter((name) => !built.includes(name));
  return (
    <>
      {added.length > 0 && <Names text={more} names={added} />}
      {lacking.length > 0 && <Names text={fewer} names={lacking} />}
    </>
  );
}

function Names({ text, names }: { text: Text; names: readonly string[] }) {
  return (
    <p className="notice" role="status">
      <span>
        <Say of={text} />{" "}
        {names.map((name) => (
          <code key={name}>{name} </code>
        ))}
      </span>
    </p>
  );
}
