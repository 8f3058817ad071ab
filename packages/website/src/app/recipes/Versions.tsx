"use client";

import { useState } from "react";
import { Say } from "@/components/Say";
import { Failure, Loading } from "@/components/states";
import { moment } from "@/components/dates";
import { callWithKey } from "@/engine/account";
import { useEngine } from "@/engine/useEngine";
import { filled } from "@/messages";
import type { RecipeTexts } from "./OwnRecipes";

interface Version {
  readonly version: number;
  readonly message: string | null;
  readonly created_at: string;
}

/** What each label points to. */
type Labels = Readonly<Record<string, { readonly version: number }>>;

const LINES: Record<string, string> = { "+": "added", "-": "removed", "@": "place" };

/** The versions of a recipe with their labels, and what differs between two of them. */
export function Versions({ name, t, common }: RecipeTexts & { name: string }) {
  const [chosen, setChosen] = useState<{ from?: string; to?: string }>({});
  const versions = useEngine(() => callWithKey<{ versions: Version[] }>(`/prompt-recipes/${name}/versions?limit=200`), name);
  const recipe = useEngine(() => callWithKey<{ recipe: { labels?: Labels } }>(`/prompt-recipes/${name}`), name);
  const list = versions.value?.versions ?? [];
  const to = chosen.to ?? String(list[0]?.version ?? "");
  const from = chosen.from ?? String(list[1]?.version ?? list[0]?.version ?? "");
  const diff = useEngine(
    () => callWithKey<{ diff: string }>(`/prompt-recipes/${name}/diff?from=${from}&to=${to}`),
    list.length ? `${from} ${to}` : undefined,
  );
  const error = versions.error ?? recipe.error ?? diff.error;
  if (error) return <Failure error={error} down={common.engineDown} tryAgain={common.tryAgain} again={versions.again} />;
  if (!versions.value) return <Loading label={common.loading} />;
  const labels = Object.entries(recipe.value?.recipe.labels ?? {});
  const select = (id: "from" | "to", value: string) => (
    <div className="field">
      <label htmlFor={`version-${id}`}>
        <Say of={t[id]} />
      </label>
      <select
        id={`version-${id}`}
        className="input"
        value={value}
        onChange={(event) => setChosen({ from, to, [id]: event.target.value })}
      >
        {list.map(({ version }) => (
          <option key={version}>{version}</option>
        ))}
      </select>
    </div>
  );
  return (
    <section className="card recipe" aria-labelledby="versions-title">
      <h3 id="versions-title">
        <Say of={t.versions} />
      </h3>
      <ul className="list">
        {list.map(({ version, message, created_at: made }) => (
          <li key={version}>
            <span>
              <Say of={filled(t.version, { version })} />{" "}
              {labels
                .filter(([, labelled]) => labelled.version === version)
                .map(([label]) => (
                  <span key={label} className="badge accent">
                    {label}
                  </span>
                ))}
            </span>
            <span className="soft">
              {message} <Say of={moment(made)} />
            </span>
          </li>
        ))}
      </ul>
      {list.length > 1 && (
        <div className="compare">
          {select("from", from)}
          {select("to", to)}
        </div>
      )}
      {list.length > 1 && diff.value?.diff === "" && (
        <p className="soft">
          <Say of={t.same} />
        </p>
      )}
      {diff.value?.diff && (
        <pre className="code diff" tabIndex={0} aria-label={t.compare.en}>
          <code>
            {diff.value.diff.split("\n").map((line, index) => (
              <span key={`${index} ${line}`} className={LINES[line[0] ?? ""]}>
                {`${line}\n`}
              </span>
            ))}
          </code>
        </pre>
      )}
    </section>
  );
}
