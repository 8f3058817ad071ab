"use client";

import { useEffect, useState } from "react";
import type { CopyTexts } from "@/components/CopyButton";
import { Say } from "@/components/Say";
import { SiteLink } from "@/components/SiteLink";
import { Empty, Failure, Loading } from "@/components/states";
import { can, load, logOut, recheck, reload, useAccount } from "@/engine/account";
import type { Me } from "@/engine/types";
import { filled, type Texts } from "@/messages";
import { Credentials } from "./Credentials";
import { EnterKey } from "./EnterKey";
import { KeyCard } from "./KeyCard";
import { type Programs, QuickStart } from "./QuickStart";
import { Runs } from "./Runs";
import { Workflows } from "./Workflows";

export type DashboardTexts = Texts<"dashboard">;

/** What every part of the dashboard is given. */
export interface PartProps {
  readonly t: DashboardTexts;
  readonly common: Texts<"common">;
}

interface Props extends PartProps {
  readonly copy: CopyTexts;
  readonly programs: Programs;
}

/** The account of the person who is logged in. */
export function Dashboard({ t, common, copy, programs }: Props) {
  const { state, health, me, key, keyRefused, error } = useAccount();
  const [shown, setShown] = useState(false);
  useEffect(() => {
    if (keyRefused) setShown(false);
  }, [keyRefused]);
  useEffect(() => {
    if (state === "unknown") load();
    addEventListener("focus", recheck);
    return () => removeEventListener("focus", recheck);
  }, [state]);
  const title = (
    <header className="dashboard-head">
      <div>
        <h1>
          <Say of={t.heading} />
        </h1>
        {me?.account && (
          <p>
            {me.email ? `${me.email} · ` : ""}
            <Say of={filled(t.account, { id: me.account })} />
          </p>
        )}
      </div>
      {me?.session && (
        <button type="button" className="button quiet small" onClick={logOut}>
          <Say of={t.logOut} />
        </button>
      )}
    </header>
  );
  if (error)
    return (
      <>
        {title}
        <Failure error={error} down={common.engineDown} tryAgain={common.tryAgain} again={reload} />
      </>
    );
  if (state !== "ready")
    return (
      <>
        {title}
        <noscript>
          <p className="notice warn">
            <Say of={common.needsScript} />
          </p>
        </noscript>
        <Loading label={common.loading} />
      </>
    );
  if (!me && !key)
    return (
      <>
        {title}
        {keyRefused && <Refused t={t} />}
        <Empty title={t.loggedOut} text={t.loggedOutText}>
          <SiteLink href="/login?redirect=/dashboard" className="button primary">
            <Say of={t.logIn} />
          </SiteLink>
        </Empty>
        <EnterKey t={t} />
      </>
    );
  return (
    <>
      {title}
      {keyRefused && <Refused t={t} />}
      {me && <Unverified me={me} t={t} />}
      <div className="dashboard-top">
        <KeyCard t={t} common={common} copy={copy} shown={shown} onShow={setShown} />
        <QuickStart t={t} copy={copy} programs={programs} shown={shown} />
      </div>
      <Runs t={t} common={common} durable={can(health, "durable_runs")} />
      <div className="dashboard-lists">
        <Workflows t={t} common={common} />
        <Credentials t={t} common={common} />
      </div>
    </>
  );
}

const PROVIDERS: Readonly<Record<string, string>> = { google: "Google", github: "GitHub" };

/** Says why somebody who has an account already may not see it here: their address is verified at the other provider only. */
function Unverified({ me, t }: { me: Me; t: DashboardTexts }) {
  const provider = me.session?.provider ?? "";
  const email = me.identities?.find((identity) => identity.provider === provider && identity.email_verified === false)?.email;
  if (!email) return null;
  return (
    <div className="notice warn" role="status">
      <span>
        <strong>
          <Say of={t.unverifiedTitle} />
        </strong>{" "}
        <Say of={filled(t.unverifiedText, { provider: PROVIDERS[provider] ?? provider, email })} />
      </span>
      <SiteLink href="/login?redirect=/dashboard" className="button small">
        <Say of={t.unverifiedOther} />
      </SiteLink>
    </div>
  );
}

function Refused({ t }: { t: DashboardTexts }) {
  return (
    <div className="notice warn" role="alert">
      <span>
        <strong>
          <Say of={t.invalidTitle} />
        </strong>{" "}
        <Say of={t.invalidText} />
      </span>
      <button type="button" className="button small" onClick={reload}>
        <Say of={t.reload} />
      </button>
    </div>
  );
}
