"use client";

import type { ReactNode } from "react";
import { filled, type Text } from "@/messages";
import { Say } from "./Say";
import { Empty } from "./states";
import { useLanguage } from "./language";
import { setQuery, useQuery } from "./query";

/** One thing of a catalog: what it is found by, and what it looks like. */
export interface Entry {
  readonly id: string;
  readonly category: string;
  readonly words: string;
  readonly content: ReactNode;
}

export interface FilterTexts {
  readonly search: Text;
  readonly searchPlaceholder: Text;
  readonly all: Text;
  readonly category: Text;
  readonly found: Text;
  readonly none: Text;
  readonly noneText: Text;
  readonly clear: Text;
}

interface Props {
  readonly entries: readonly Entry[];
  readonly categories: readonly (readonly [string, Text])[];
  readonly texts: FilterTexts;
  readonly className: string;
}

/** A list that is searched as one types, and by category; both are kept in the address. */
export function Filter({ entries, categories, texts, className }: Props) {
  const language = useLanguage();
  const query = useQuery("q");
  const category = useQuery("category");
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = (entry: Entry) =>
    (!category || entry.category === category) && words.every((word) => entry.words.toLowerCase().includes(word));
  const count = entries.filter(fits).length;
  return (
    <>
      <search className="filter needs-script">
        <input
          type="search"
          className="input"
          aria-label={texts.search[language]}
          placeholder={texts.searchPlaceholder[language]}
          value={query}
          onChange={(event) => setQuery({ q: event.target.value })}
        />
        <div className="chips" role="group" aria-label={texts.category[language]}>
          {[["", texts.all] as const, ...categories].map(([name, text]) => (
            <button
              key={name}
              type="button"
              className="chip"
              aria-pressed={category === name}
              onClick={() => setQuery({ category: name })}
            >
              <Say of={text} />
            </button>
          ))}
        </div>
        <p className="fine" role="status">
          <Say of={filled(texts.found, { count })} />
        </p>
      </search>
      <ul className={className}>
        {entries.map((entry) => (
          <li key={entry.id} id={entry.id} hidden={!fits(entry)}>
            {entry.content}
          </li>
        ))}
      </ul>
      {count === 0 && (
        <Empty title={texts.none} text={texts.noneText}>
          <button type="button" className="button" onClick={() => setQuery({ q: "", category: "" })}>
            <Say of={texts.clear} />
          </button>
        </Empty>
      )}
    </>
  );
}
