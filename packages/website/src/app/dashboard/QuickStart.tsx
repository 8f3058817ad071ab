"use client";

import { CopyButton, type CopyTexts } from "@/components/CopyButton";
import type { Snippet } from "@/components/Code";
import { Say } from "@/components/Say";
import { Tabs } from "@/components/Tabs";
import { can, useAccount } from "@/engine/account";
import { engineUrl } from "@/engine/client";
import type { DashboardTexts } from "./Dashboard";

export interface Programs {
  readonly python: Snippet;
  readonly javascript: Snippet;
  readonly http: Snippet;
}

interface Props {
  readonly t: DashboardTexts;
  readonly copy: CopyTexts;
  readonly programs: Programs;
  readonly shown: boolean;
}

/** What to paste into a terminal, with the person's own key, and programs that then run as they stand. */
export function QuickStart({ t, copy, programs, shown }: Props) {
  const { key, health } = useAccount();
  const lines = (shownKey: string) =>
    [
      `export ARCRUN_BASE_URL=${engineUrl()}`,
      `export ARCRUN_API_KEY=${shownKey}`,
      ...(can(health, "sealed_credentials") ? [] : ["export ARCRUN_CREDENTIAL_FORMAT=plain"]),
    ].join("\n");
  const program = (name: keyof Programs, label: string) => ({
    name,
    label,
    content: (
      <div className="code-box">
        <pre className="code" tabIndex={0} aria-label={label} data-program={name}>
          <code dangerouslySetInnerHTML={{ __html: programs[name].html }} />
        </pre>
        <CopyButton text={programs[name].text} labels={copy} />
      </div>
    ),
  });
  return (
    <section className="card quick-start" aria-labelledby="start-title">
      <h2 id="start-title">
        <Say of={t.startTitle} />
      </h2>
      <p className="soft">
        <Say of={t.startText} />
      </p>
      <div className="code-box">
        <pre className="code" tabIndex={0} aria-label={t.environment.en} data-program="environment">
          <code>{lines(key && shown ? key : "ak_…")}</code>
        </pre>
        {key && <CopyButton text={lines(key)} labels={copy} />}
      </div>
      {!(key && shown) && (
        <p className="fine">
          <Say of={t.snippetHidden} />
        </p>
      )}
      <Tabs label={t.startLabel} tabs={[program("python", "Python"), program("javascript", "JavaScript"), program("http", "curl")]} />
    </section>
  );
}
