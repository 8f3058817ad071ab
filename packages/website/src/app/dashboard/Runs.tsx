"use client";

import { useEffect, useState } from "react";
import { Say } from "@/components/Say";
import { SiteLink } from "@/components/SiteLink";
import { Failure, Loading } from "@/components/states";
import { moment } from "@/components/dates";
import { jsonText } from "@/components/json";
import { callWithKey, useAccount } from "@/engine/account";
import { BADGES, GOES_ON, REFRESH_MS } from "@/engine/runs";
import type { Run, Step } from "@/engine/types";
import { useEngine } from "@/engine/useEngine";
import { filled } from "@/messages";
import type { DashboardTexts, PartProps } from "./Dashboard";
import { Part } from "./Part";

const SHOWN = 10;

/** The newest runs, each with its trace. */
export function Runs({ t, common, durable }: PartProps & { durable: boolean }) {
  const { key } = useAccount();
  const [limit, setLimit] = useState(SHOWN);
  const asked = useEngine(
    () => callWithKey<{ runs: Run[]; total: number }>(`/runs?limit=${limit}`),
    durable && key ? `${key} ${limit}` : undefined,
  );
  return (
    <Part
      t={t}
      common={common}
      id="runs"
      title={t.runsTitle}
      text={durable ? t.runsText : t.noDurable}
      needsKey={!key && durable}
      asked={asked}
      items={asked.value?.runs}
      empty={{ title: t.noRuns, text: t.noRunsText }}
    >
      {(runs) => (
        <>
          <ul className="runs">
            {runs.map((run) => (
              <RunEntry key={run.run_id} run={run} t={t} common={common} />
            ))}
          </ul>
          {asked.value && asked.value.total > runs.length && (
            <button type="button" className="button small" onClick={() => setLimit(limit + 20)}>
              <Say of={t.more} />
            </button>
          )}
        </>
      )}
    </Part>
  );
}

function RunEntry({ run, t, common }: PartProps & { run: Run }) {
  const [open, setOpen] = useState(false);
  return (
    <li>
      <details onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>
          <span className={`badge ${BADGES[run.status] ?? ""}`}>
            <Say of={t[run.status]} />
          </span>
          <span className="run-workflow">{run.workflow}</span>
          <time dateTime={run.created_at}>
            <Say of={moment(run.created_at)} />
          </time>
          <span className="only-read-aloud">
            <Say of={t.showTrace} />
          </span>
        </summary>
        {open && <Trace run={run} t={t} common={common} />}
      </details>
    </li>
  );
}

function Trace({ run, t, common }: PartProps & { run: Run }) {
  const asked = useEngine(() => callWithKey<Run>(`/runs/${run.run_id}`), run.run_id);
  const { value, again } = asked;
  useEffect(() => {
    if (!value || !GOES_ON.has(value.status)) return;
    const timer = setTimeout(again, REFRESH_MS);
    return () => clearTimeout(timer);
  }, [value, again]);
  if (asked.error) return <Failure error={asked.error} down={common.engineDown} tryAgain={common.tryAgain} again={asked.again} />;
  if (!asked.value) return <Loading label={common.loading} />;
  return (
    <div className="trace">
      {asked.value.error && <p className="notice bad">{asked.value.error}</p>}
      <ol>
        {asked.value.trace?.map((step, index) => (
          <StepEntry key={`${index} ${step.nodeId}`} step={step} t={t} />
        ))}
      </ol>
      <p>
        <SiteLink href={`/workflows?name=${encodeURIComponent(run.workflow)}&run=${run.run_id}`}>
          <Say of={filled(t.open, { name: run.workflow })} />
        </SiteLink>
      </p>
    </div>
  );
}

function StepEntry({ step, t }: { step: Step; t: DashboardTexts }) {
  return (
    <li>
      <div className="step-head">
        <span className={step.error ? "dot bad" : "dot good"} aria-hidden="true" />
        <strong>
          <bdi>{step.nodeId}</bdi>
        </strong>
        {step.duration_ms !== undefined && (
          <span className="fine">
            <Say of={filled(t.took, { ms: step.duration_ms })} />
          </span>
        )}
      </div>
      <pre className="code" tabIndex={0} aria-label={step.nodeId}>
        <code>{step.error ?? jsonText(step.output)}</code>
      </pre>
    </li>
  );
}
