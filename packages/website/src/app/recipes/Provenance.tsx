import { Say } from "@/components/Say";
import { filled, type Text, type Texts } from "@/messages";

interface Origin {
  readonly kind: "template" | "fragment" | "value";
  readonly var?: string;
  /** Where in the context a value is from. */
  readonly from?: string;
  /** The blocks that a fragment was made of. */
  readonly blocks?: readonly { readonly block_id: string; readonly version: number }[];
}

/** A part of a message, and where it comes from. */
export interface Range {
  readonly start: number;
  readonly end: number;
  readonly origin: Origin;
}

interface Props {
  readonly role: string;
  readonly content: string;
  readonly ranges: readonly Range[];
  readonly t: Texts<"recipes">;
}

/** A message in which each part from elsewhere has a number, an underline and a color, and below it what these are. */
export function Provenance({ role, content, ranges, t }: Props) {
  // The engine counts characters, JavaScript halves of some.
  const characters = [...content];
  const sources = [...new Set(ranges.filter(({ origin }) => origin.kind !== "template").map(({ origin }) => nameOf(origin)))];
  const origins = new Map(ranges.map(({ origin }) => [nameOf(origin), origin]));
  return (
    <>
      <pre className="code provenance" tabIndex={0} aria-label={role}>
        {ranges.map(({ start, end, origin }) => {
          const text = characters.slice(start, end).join("");
          if (origin.kind === "template") return text;
          return (
            <mark key={start} className={origin.kind} title={nameOf(origin)}>
              {text}
              <sup>{sources.indexOf(nameOf(origin)) + 1}</sup>
            </mark>
          );
        })}
      </pre>
      {sources.length > 0 && (
        <ol className="sources">
          {sources.map((name) => {
            const origin = origins.get(name);
            return (
              <li key={name}>
                <mark className={origin?.kind}>
                  <Say of={origin?.kind === "value" ? t.input : t.fragment} />
                </mark>{" "}
                <code>{origin?.var}</code> {origin && <Say of={placeOf(origin, t)} />}
              </li>
            );
          })}
        </ol>
      )}
    </>
  );
}

function nameOf({ kind, var: name }: Origin): string {
  return `${kind} ${name ?? ""}`;
}

function placeOf({ kind, from, blocks }: Origin, t: Texts<"recipes">): Text {
  if (kind === "value") return filled(t.fromContext, { path: from ?? "" });
  if (!blocks?.length) return { en: "", zh: "" };
  const list = blocks.map(({ block_id: id, version }) => `${id.slice(0, 8)} v${version}`).join(", ");
  return filled(t.fromBlocks, { count: blocks.length, list });
}
