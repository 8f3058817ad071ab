"use client";

import { SiteLink } from "@/components/SiteLink";
import { callWithKey, useAccount } from "@/engine/account";
import type { Workflow } from "@/engine/types";
import { useEngine } from "@/engine/useEngine";
import type { PartProps } from "./Dashboard";
import { Part } from "./Part";

/** The workflows that are stored, each with a way to its graph. */
export function Workflows({ t, common }: PartProps) {
  const { key } = useAccount();
  const asked = useEngine(() => callWithKey<{ workflows: Workflow[] }>("/webhooks/named?limit=100"), key);
  return (
    <Part
      t={t}
      common={common}
      id="workflows"
      title={t.workflowsTitle}
      needsKey={!key}
      asked={asked}
      items={asked.value?.workflows}
      empty={{ title: t.noWorkflows, text: t.noWorkflowsText }}
    >
      {(workflows) => (
        <ul className="list">
          {workflows.map(({ name, description }) => (
            <li key={name}>
              <SiteLink href={`/workflows?name=${encodeURIComponent(name)}`}>{name}</SiteLink>
              <span className="soft">{description}</span>
            </li>
          ))}
        </ul>
      )}
    </Part>
  );
}
