"use client";

import { Say } from "@/components/Say";
import { Empty, Failure, Loading } from "@/components/states";
import { moment } from "@/components/dates";
import { callWithKey, useAccount } from "@/engine/account";
import type { Credential } from "@/engine/types";
import { useEngine } from "@/engine/useEngine";
import type { PartProps } from "./Dashboard";

/** The credentials that are stored, by name. */
export function Credentials({ t, common }: PartProps) {
  const { key } = useAccount();
  const asked = useEngine(() => callWithKey<{ credentials: Credential[] }>("/credentials?limit=200"), key);
  return (
    <section className="dashboard-section" aria-labelledby="credentials-title">
      <h2 id="credentials-title">
        <Say of={t.credentialsTitle} />
      </h2>
      <p className="soft">
        <Say of={t.credentialsText} />
      </p>
      {!key && (
        <p className="notice">
          <Say of={t.needsKey} />
        </p>
      )}
      {asked.error && <Failure error={asked.error} down={common.engineDown} tryAgain={common.tryAgain} again={asked.again} />}
      {asked.loading && !asked.value && <Loading label={common.loading} />}
      {asked.value?.credentials.length === 0 && <Empty title={t.noCredentials} text={t.noCredentialsText} />}
      {asked.value && asked.value.credentials.length > 0 && (
        <div className="table" tabIndex={0}>
          <table>
            <thead>
              <tr>
                {[t.credential, t.service, t.stored, t.used].map((text) => (
                  <th key={text.en} scope="col">
                    <Say of={text} />
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {asked.value.credentials.map((credential) => (
                <tr key={credential.name}>
                  <td>
                    <code>{credential.name}</code>
                  </td>
                  <td>{credential.service ?? "–"}</td>
                  <td>
                    <Say of={moment(credential.created_at)} />
                  </td>
                  <td>
                    <Say of={credential.last_used_at ? moment(credential.last_used_at) : t.never} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
