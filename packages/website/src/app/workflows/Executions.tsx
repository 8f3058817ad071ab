"use client";

import { Say } from "@/components/Say";
import { Empty, Failure, Loading } from "@/components/states";
import { moment } from "@/components/dates";
import { callWithKey } from "@/engine/account";
import { BADGES } from "@/engine/runs";
import type { Execution } from "@/engine/types";
import { useEngine } from "@/engine/useEngine";
import { filled } from "@/messages";
import type { WorkflowTexts } from "./WorkflowView";

interface Answer {
  readonly executions?: readonly Execution[];
  readonly data?: { readonly executions?: readonly Execution[] };
}

/** How a workflow has ended of late, on an engine that keeps no runs to look into. */
export function Executions({ name, t, common, statuses }: WorkflowTexts & { name: string }) {
  const asked = useEngine(() => callWithKey<Answer>(`/workflows/${encodeURIComponent(name)}/executions?limit=20`), name);
  // The deployed engine puts the list into `data`.
  const list = asked.value && (asked.value.executions ?? asked.value.data?.executions ?? []);
  return (
    <section aria-labelledby="executions" className="dashboard-section">
      <h2 id="executions">
        <Say of={statuses.executions} />
      </h2>
      <p className="notice">
        <Say of={statuses.noDurable} />
      </p>
      {asked.error && <Failure error={asked.error} down={common.engineDown} tryAgain={common.tryAgain} again={asked.again} />}
      {asked.loading && !list && <Loading label={common.loading} />}
      {list?.length === 0 && <Empty title={t.noRuns} text={t.noExecutionsText} />}
      {list && list.length > 0 && (
        <ul className="list">
          {list.map(({ timestamp, verdict, duration_ms: took, message }, index) => (
            <li key={`${index} ${timestamp}`}>
              <span>
                <span className={`badge ${BADGES[verdict] ?? ""}`}>
                  <Say of={statuses[verdict]} />
                </span>{" "}
                {message}
              </span>
              <span className="soft">
                <Say of={moment(timestamp)} /> · <Say of={filled(t.took, { ms: took })} />
              </span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
