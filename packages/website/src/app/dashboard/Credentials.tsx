"use client";

import { Say } from "@/components/Say";
import { moment } from "@/components/dates";
import { callWithKey, useAccount } from "@/engine/account";
import type { Credential } from "@/engine/types";
import { useEngine } from "@/engine/useEngine";
import type { PartProps } from "./Dashboard";
import { Part } from "./Part";

/** The credentials that are stored, by name. */
export function Credentials({ t, common }: PartProps) {
  const { key } = useAccount();
  const asked = useEngine(() => callWithKey<{ credentials: Credential[] }>("/credentials?limit=200"), key);
  return (
    <Part
      t={t}
      common={common}
      id="credentials"
      title={t.credentialsTitle}
      text={t.credentialsText}
      needsKey={!key}
      asked={asked}
      items={asked.value?.credentials}
      empty={{ title: t.noCredentials, text: t.noCredentialsText }}
    >
      {(credentials) => (
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
              {credentials.map((credential) => (
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
    </Part>
  );
}
