"use client";

import { useEffect, useState } from "react";
import { Say } from "@/components/Say";
import { SiteLink } from "@/components/SiteLink";
import { Empty, Failure, Loading } from "@/components/states";
import { moment } from "@/components/dates";
import { setQuery, useQuery } from "@/components/query";
import { callWithKey, load, useAccount } from "@/engine/account";
import type { Definition, Run } from "@/engine/types";
import { useEngine } from "@/engine/useEngine";
import { filled, type Texts } from "@/messages";
import { GraphPicture } from "./GraphPicture";

export interface WorkflowTexts {
  readonly t: Texts<"workflows">;
  readonly common: Texts<"common">;
  readonly statuses: Texts<"dashboard">;
}

/** A workflow as a graph, and its runs on it. */
export function WorkflowView({ t, common, statuses }: WorkflowTexts) {
  const { state, key, error } = useAccount();
  const name = useQuery("name");
  useEffect(() => {
    if (state === "unknown") load();
  }, [state]);
  const path = `/webhooks/named/${encodeURIComponent(name)}/definition`;
  const asked = useEngine(() => callWithKey<Definition>(path), key && name ? `${key} ${path}` : undefined);
  const failure = error ?? asked.error;
  const heading = (
    <header>
      <h1>{name || <Say of={t.title} />}</h1>
      <p className="soft">{asked.value?.description}</p>
    </header>
  );
  if (failure?.status === 404)
    return (
      <>
        {heading}
        <Empty title={filled(t.notFound, { name })} text={t.noneText} />
      </>
    );
  if (failure)
    return (
      <>
        {heading}
        <Failure error={failure} down={common.engineDown} tryAgain={common.tryAgain} again={error ? load : asked.again} />
      </>
    );
  if (state === "ready" && (!name || !key))
    return (
      <>
        {heading}
        <Empty title={name ? t.needsKey : t.none} text={t.noneText}>
          <SiteLink href="/dashboard" className="button primary">
            <Say of={t.toDashboard} />
          </SiteLink>
        </Empty>
      </>
    );
  if (!asked.value)
    return (
      <>
        {heading}
        <Loading label={common.loading} />
      </>
    );
  return (
    <>
      {heading}
      <Stepper definition={asked.value} t={t} common={common} statuses={statuses} />
    </>
  );
}

function Stepper({ definition, t, common, statuses }: WorkflowTexts & { definition: Definition }) {
  const chosen = useQuery("run");
  const runs = useEngine(
    () => callWithKey<{ runs: Run[] }>(`/runs?workflow=${encodeURIComponent(definition.name)}&limit=20`),
    definition.name,
  );
  const run = useEngine(() => callWithKey<Run>(`/runs/${chosen}`), chosen || undefined);
  const [at, setAt] = useState(0);
  const trace = (chosen && run.value?.trace) || [];
  const step = trace[Math.min(at, trace.length - 1)];
  const done = new Map(trace.slice(0, at + 1).map(({ nodeId, error }) => [nodeId, error ? "bad" : "good"] as const));
  return (
    <>
      <section aria-labelledby="graph-title" className="dashboard-section">
        <h2 id="graph-title">
          <Say of={t.graph} />
        </h2>
        <GraphPicture graph={definition.graph} label={filled(t.graphLabel, { name: definition.name })} done={done} at={step?.nodeId} />
        <details className="fine">
          <summary>
            <Say of={t.edges} />
          </summary>
          <ul>
            {definition.graph.edges.map(({ from, to, type }) => (
              <li key={`${from} ${type} ${to}`}>
                <code>{`${from} >> ${type} >> ${to}`}</code>
              </li>
            ))}
          </ul>
        </details>
      </section>
      {step && (
        <section className="card stepper" aria-live="polite">
          <div className="buttons">
            <button type="button" className="button small" disabled={at === 0} onClick={() => setAt(at - 1)}>
              <Say of={t.previous} />
            </button>
            <button type="button" className="button small" disabled={at >= trace.length - 1} onClick={() => setAt(at + 1)}>
              <Say of={t.next} />
            </button>
            <span>
              <Say of={filled(t.step, { number: at + 1, count: trace.length })} /> · <strong>{step.nodeId}</strong>
            </span>
          </div>
          {step.error && <p className="notice bad">{step.error}</p>}
          <div className="step-values">
            {([[t.input, step.input], [t.output, step.output]] as const).map(([text, value]) => (
              <div key={text.en}>
                <h3>
                  <Say of={text} />
                </h3>
                <pre className="code" tabIndex={0} aria-label={text.en}>
                  <code>{JSON.stringify(value ?? null, null, 2)}</code>
                </pre>
              </div>
            ))}
          </div>
        </section>
      )}
      <section aria-labelledby="workflow-runs" className="dashboard-section">
        <h2 id="workflow-runs">
          <Say of={t.runs} />
        </h2>
        {runs.error && <Failure error={runs.error} down={common.engineDown} tryAgain={common.tryAgain} again={runs.again} />}
        {runs.loading && <Loading label={common.loading} />}
        {runs.value?.runs.length === 0 && <Empty title={t.noRuns} text={t.noRunsText} />}
        <div className="chips">
          {runs.value?.runs.map(({ run_id: id, status, created_at: made }) => (
            <button
              key={id}
              type="button"
              className="chip"
              aria-pressed={id === chosen}
              onClick={() => {
                setAt(0);
                setQuery({ run: id });
              }}
            >
              <Say of={moment(made)} /> · <Say of={statuses[status]} />
            </button>
          ))}
        </div>
      </section>
    </>
  );
}
