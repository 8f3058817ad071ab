"use client";

import { useEffect, useRef, useState } from "react";
import { Say } from "@/components/Say";
import { Empty, Failure, Loading } from "@/components/states";
import { moment } from "@/components/dates";
import { jsonText } from "@/components/json";
import { setQuery, useQuery } from "@/components/query";
import { callWithKey } from "@/engine/account";
import { BADGES, GOES_ON, REFRESH_MS } from "@/engine/runs";
import type { Definition, Run, Step } from "@/engine/types";
import { useEngine } from "@/engine/useEngine";
import { filled } from "@/messages";
import { GraphPicture, type Outcome, SIGNS } from "./GraphPicture";
import type { WorkflowTexts } from "./WorkflowView";

interface Props extends WorkflowTexts {
  readonly definition: Definition;
  /** Whether the engine keeps runs. */
  readonly durable: boolean;
}

/** The graph of a workflow, and on it a run: the newest, or the one that the address names. */
export function RunOnGraph({ definition, durable, t, common, statuses }: Props) {
  const { name, graph } = definition;
  const list = useEngine(
    () => callWithKey<{ runs: Run[] }>(`/runs?workflow=${encodeURIComponent(name)}&limit=20`),
    durable ? name : undefined,
  );
  const chosen = useQuery("run") || list.value?.runs[0]?.run_id;
  const run = useEngine(() => callWithKey<Run>(`/runs/${encodeURIComponent(chosen ?? "")}`), chosen);
  const { value, again } = run;
  useEffect(() => {
    if (!value || !GOES_ON.has(value.status)) return;
    const timer = setTimeout(again, REFRESH_MS);
    return () => clearTimeout(timer);
  }, [value, again]);
  const [place, setPlace] = useState<{ run?: string; at: number }>({ at: 0 });
  const shown = chosen && value?.run_id === chosen ? value : undefined;
  const trace = shown?.trace ?? [];
  const at = place.run === chosen ? Math.min(place.at, trace.length - 1) : trace.length - 1;
  const goTo = (index: number) => {
    if (index >= 0 && index < trace.length) setPlace({ ...(chosen ? { run: chosen } : {}), at: index });
  };
  const done = new Map(trace.slice(0, at + 1).map((step) => [step.nodeId, outcomeOf(step, shown)] as const));
  return (
    <>
      <section aria-labelledby="graph-title" className="dashboard-section">
        <h2 id="graph-title">
          <Say of={t.graph} />
        </h2>
        <GraphPicture
          graph={graph}
          label={filled(t.graphLabel, { name })}
          done={done}
          at={trace[at]?.nodeId}
          onChoose={(node) => goTo(trace.findIndex(({ nodeId }) => nodeId === node))}
        />
        <details className="fine edges">
          <summary>
            <Say of={t.edges} />
          </summary>
          <ul>
            {graph.edges.map(({ from, to, type }) => (
              <li key={`${from} ${type} ${to}`}>
                <code>{`${from} >> ${type} >> ${to}`}</code>
              </li>
            ))}
          </ul>
        </details>
      </section>
      {durable && (
        <section aria-labelledby="workflow-runs" className="dashboard-section">
          <h2 id="workflow-runs">
            <Say of={t.runs} />
          </h2>
          {list.error && <Failure error={list.error} down={common.engineDown} tryAgain={common.tryAgain} again={list.again} />}
          {list.loading && !list.value && <Loading label={common.loading} />}
          {list.value?.runs.length === 0 && <Empty title={t.noRuns} text={t.noRunsText} />}
          <div className="chips">
            {list.value?.runs.map(({ run_id: id, status, created_at: made }) => (
              <button key={id} type="button" className="chip" aria-pressed={id === chosen} onClick={() => setQuery({ run: id })}>
                <Say of={statuses[status]} /> · <Say of={moment(made)} />
              </button>
            ))}
          </div>
          {run.error && <Failure error={run.error} down={common.engineDown} tryAgain={common.tryAgain} again={run.again} />}
          {chosen && run.loading && !shown && <Loading label={common.loading} />}
          {shown && (
            <div className="card stepper">
              <p className="run-head">
                <span className={`badge ${BADGES[shown.status] ?? ""}`}>
                  <Say of={statuses[shown.status]} />
                </span>
                {shown.duration_ms !== undefined && (
                  <span className="fine">
                    <Say of={filled(t.took, { ms: Math.round(shown.duration_ms) })} />
                  </span>
                )}
                {shown.paused_node_id && <Say of={filled(t.pausedAt, { node: shown.paused_node_id })} />}
              </p>
              {shown.error && <p className="notice bad">{shown.error}</p>}
              {trace.length > 0 && <Steps trace={trace} at={at} run={shown} goTo={goTo} t={t} />}
            </div>
          )}
        </section>
      )}
    </>
  );
}

interface StepsProps extends Pick<Props, "t"> {
  readonly trace: readonly Step[];
  readonly at: number;
  readonly run: Run;
  readonly goTo: (index: number) => void;
}

const KEYS: Readonly<Record<string, number>> = { ArrowLeft: -1, ArrowRight: 1 };

/** The steps of a run in a row, to go through by mouse, by buttons or by the arrow keys, and what the chosen one was given and gave. */
function Steps({ trace, at, run, goTo, t }: StepsProps) {
  const step = trace[at];
  const list = useRef<HTMLOListElement>(null);
  useEffect(() => {
    // The page itself stays where it is.
    const { current } = list;
    const button = current?.querySelectorAll("button")[at];
    if (current && button) current.scrollTop = button.offsetTop - current.offsetTop - current.clientHeight / 2;
  }, [at]);
  if (!step) return null;
  return (
    <>
      <ol
        className="steps"
        ref={list}
        onKeyDown={({ key, currentTarget }) => {
          const to = at + (KEYS[key] ?? 0);
          if (!(key in KEYS) || !trace[to]) return;
          goTo(to);
          currentTarget.querySelectorAll("button")[to]?.focus();
        }}
      >
        {trace.map((one, index) => {
          const outcome = outcomeOf(one, run);
          return (
            <li key={`${index} ${one.nodeId}`}>
              <button type="button" className={outcome} aria-current={index === at ? "step" : undefined} onClick={() => goTo(index)}>
                <span aria-hidden="true">{SIGNS[outcome]}</span> <bdi>{one.nodeId}</bdi>
              </button>
            </li>
          );
        })}
      </ol>
      <div className="buttons">
        {([[t.previous, at - 1], [t.next, at + 1]] as const).map(([text, to]) => (
          // Not `disabled`: the focus of somebody who goes on by keyboard would be lost at the end.
          <button key={text.en} type="button" className="button small" aria-disabled={!trace[to]} onClick={() => goTo(to)}>
            <Say of={text} />
          </button>
        ))}
        <span aria-live="polite" className="step-name">
          <Say of={filled(t.step, { number: at + 1, count: trace.length })} /> · <strong>
            <bdi>{step.nodeId}</bdi>
          </strong>{" "}
          {step.duration_ms !== undefined && (
            <span className="fine">
              <Say of={filled(t.took, { ms: step.duration_ms })} />
            </span>
          )}
        </span>
      </div>
      {step.error && !run.error?.includes(step.error) && <p className="notice bad">{step.error}</p>}
      <div className="step-values">
        {([[t.input, step.input], [t.output, step.output]] as const).map(([text, value]) => (
          <div key={text.en}>
            <h3>
              <Say of={text} />
            </h3>
            <pre className="code" tabIndex={0} aria-label={text.en}>
              <code>{jsonText(value)}</code>
            </pre>
          </div>
        ))}
      </div>
    </>
  );
}

function outcomeOf(step: Step, run: Run | undefined): Outcome {
  if (step.error) return "bad";
  return run?.status === "paused" && run.paused_node_id === step.nodeId ? "waits" : "good";
}
