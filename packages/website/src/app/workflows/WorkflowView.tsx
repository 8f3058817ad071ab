"use client";

import { type ReactNode, useEffect } from "react";
import { Workflows } from "@/app/dashboard/Workflows";
import { Say } from "@/components/Say";
import { SiteLink } from "@/components/SiteLink";
import { Empty, Failure, Loading } from "@/components/states";
import { useQuery } from "@/components/query";
import { callWithKey, can, load, useAccount } from "@/engine/account";
import type { Definition } from "@/engine/types";
import { useEngine } from "@/engine/useEngine";
import { filled, type Texts } from "@/messages";
import { Executions } from "./Executions";
import { RunOnGraph } from "./RunOnGraph";

export interface WorkflowTexts {
  readonly t: Texts<"workflows">;
  readonly common: Texts<"common">;
  readonly statuses: Texts<"dashboard">;
}

/** A workflow as a graph, with its runs on it; without a name, all workflows of the account. */
export function WorkflowView({ t, common, statuses }: WorkflowTexts) {
  const { state, health, key, error } = useAccount();
  const name = useQuery("name");
  useEffect(() => {
    if (state === "unknown") load();
  }, [state]);
  const path = `/webhooks/named/${encodeURIComponent(name)}/definition`;
  const asked = useEngine(() => callWithKey<Definition>(path), key && name ? `${key} ${path}` : undefined);
  const definition = asked.loading ? undefined : asked.value;
  const failure = error ?? asked.error;
  const page = (content: ReactNode) => (
    <>
      <header className="workflow-head">
        <p>
          <SiteLink href="/dashboard">
            <Say of={common.dashboard} />
          </SiteLink>{" "}
          /{" "}
          {name ? (
            <SiteLink href="/workflows">
              <Say of={common.workflows} />
            </SiteLink>
          ) : (
            <Say of={common.workflows} />
          )}
        </p>
        <h1>{name || <Say of={common.workflows} />}</h1>
        {definition && <p className="soft">{definition.description}</p>}
      </header>
      {content}
    </>
  );
  const toDashboard = (
    <SiteLink href="/dashboard" className="button primary">
      <Say of={t.toDashboard} />
    </SiteLink>
  );
  if (failure?.status === 404 || failure?.status === 400)
    return page(
      <Empty title={filled(t.notFound, { name })} text={t.notFoundText}>
        <SiteLink href="/workflows" className="button primary">
          <Say of={t.toWorkflows} />
        </SiteLink>
      </Empty>,
    );
  if (failure)
    return page(<Failure error={failure} down={common.engineDown} tryAgain={common.tryAgain} again={error ? load : asked.again} />);
  if (state === "ready" && !key)
    return page(
      <Empty title={t.needsKey} text={t.needsKeyText}>
        {toDashboard}
      </Empty>,
    );
  if (state === "ready" && !name) return page(<Workflows t={statuses} common={common} />);
  if (!definition) return page(<Loading label={common.loading} />);
  const durable = can(health, "durable_runs");
  return page(
    <>
      <RunOnGraph key={name} definition={definition} durable={durable} t={t} common={common} statuses={statuses} />
      {!durable && <Executions name={name} t={t} common={common} statuses={statuses} />}
    </>,
  );
}
