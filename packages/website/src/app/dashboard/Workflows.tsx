"use client";

import { Say } from "@/components/Say";
import { SiteLink } from "@/components/SiteLink";
import { Empty, Failure, Loading } from "@/components/states";
import { callWithKey, useAccount } from "@/engine/account";
import type { Workflow } from "@/engine/types";
import { useEngine } from "@/engine/useEngine";
import type { PartProps } from "./Dashboard";

/** The workflows that are stored, each with a way to its graph. */
export function Workflows({ t, common }: PartProps) {
  const { key } = useAccount();
  const asked = useEngine(() => callWithKey<{ workflows: Workflow[] }>("/webhooks/named?limit=100"), key);
  return (
    <section className="dashboard-section" aria-labelledby="workflows-title">
      <h2 id="workflows-title">
        <Say of={t.workflowsTitle} />
      </h2>
      {!key && (
        <p className="notice">
          <Say of={t.needsKey} />
        </p>
      )}
      {asked.error && <Failure error={asked.error} down={common.engineDown} tryAgain={common.tryAgain} again={asked.again} />}
      {asked.loading && !asked.value && <Loading label={common.loading} />}
      {asked.value?.workflows.length === 0 && <Empty title={t.noWorkflows} text={t.noWorkflowsText} />}
      {asked.value && asked.value.workflows.length > 0 && (
        <ul className="list">
          {asked.value.workflows.map(({ name, description }) => (
            <li key={name}>
              <SiteLink href={`/workflows?name=${encodeURIComponent(name)}`}>{name}</SiteLink>
              <span className="soft">{description}</span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
