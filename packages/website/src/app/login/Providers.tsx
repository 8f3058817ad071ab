"use client";

import { useEffect } from "react";
import { Say } from "@/components/Say";
import { SiteLink } from "@/components/SiteLink";
import { Failure, Loading } from "@/components/states";
import { load, useAccount, WELCOME } from "@/engine/account";
import { ENGINE } from "@/engine/client";
import type { Texts } from "@/messages";

const NAMES = { google: "google", github: "github", dev: "development" } as const;
type Provider = keyof typeof NAMES;

// The deployed engine does not say what it offers: it has both.
const UNSAID: readonly string[] = ["google", "github"];

/** The log-ins that this engine offers, or the way on for somebody who is logged in. */
export function Providers({ t, common }: { t: Texts<"login">; common: Texts<"common"> }) {
  const { state, health, me, error } = useAccount();
  useEffect(() => {
    if (state === "unknown") load();
  }, [state]);
  if (error) return <Failure error={error} down={common.engineDown} tryAgain={common.tryAgain} again={load} />;
  if (!health) return <Loading label={common.loading} />;
  const offered = (health.login ?? UNSAID).filter((name): name is Provider => name in NAMES);
  const links = (
    <div className="providers">
      {offered.map((name) => (
        <a key={name} className="button large" href={`${ENGINE}/auth/${name}/start?redirect=${encodeURIComponent(target())}`}>
          <Logo of={name} />
          <Say of={t[NAMES[name]]} />
        </a>
      ))}
      {offered.includes("dev") && (
        <p className="fine">
          <Say of={t.developmentText} />
        </p>
      )}
    </div>
  );
  if (me)
    return (
      <>
        <p className="notice good" role="status">
          <span>
            <Say of={t.loggedIn} />
            {me.email ? `: ${me.email}` : ""}
          </span>
        </p>
        <SiteLink href="/dashboard" className="button primary large">
          <Say of={t.goOn} />
        </SiteLink>
        <details>
          <summary>
            <Say of={t.another} />
          </summary>
          {links}
        </details>
      </>
    );
  if (offered.length === 0)
    return (
      <div className="notice warn">
        <strong>
          <Say of={t.none} />
        </strong>
        <span>
          <Say of={t.noneText} />
        </span>
      </div>
    );
  return links;
}

/** Return the page to which the log-in leads: a path of this site, and of no other. */
function target(): string {
  const asked = new URLSearchParams(location.search).get("redirect") ?? "";
  const path = /^\/(?![/\\])[\w\-/?=&.%]*$/.test(asked) ? asked : "/dashboard";
  return `${path}${path.includes("?") ? "&" : "?"}${WELCOME}=1`;
}

const LOGOS: Record<Provider, string> = {
  google:
    "M12 11v3.2h4.5a4.6 4.6 0 1 1-1.3-5.4l2.3-2.3A8 8 0 1 0 20 12.2c0-.4 0-.8-.1-1.2Z",
  github:
    "M12 2a10 10 0 0 0-3.2 19.5c.5.1.7-.2.7-.5v-1.7c-2.8.6-3.4-1.3-3.4-1.3-.4-1.2-1.1-1.5-1.1-1.5-.9-.6.1-.6.1-.6 1 .1 1.5 1 1.5 1 .9 1.6 2.4 1.1 2.9.9.1-.7.4-1.1.6-1.4-2.2-.3-4.6-1.1-4.6-5 0-1.1.4-2 1-2.7-.1-.2-.4-1.2.1-2.6 0 0 .8-.3 2.8 1a9.600 9.600 0 0 1 5 0c1.900-1.300 2.700-1 2.700-1 .6 1.400.2 2.400.1 2.600.7.7 1 1.600 1 2.700 0 3.900-2.300 4.700-4.600 5 .4.300.7.900.7 1.900v2.700c0 .300.200.600.7.500A10 10 0 0 0 12 2Z",
  dev: "M8 7 3 12l5 5M16 7l5 5-5 5M13.500 5l-3 14",
};

function Logo({ of: name }: { of: Provider }) {
  return (
    <svg width="20" height="20" viewBox="0 0 24 24" aria-hidden="true" className={name === "dev" ? "outline" : "solid"}>
      <path d={LOGOS[name]} />
    </svg>
  );
}
