import type { Metadata } from "next";
import { Suspense } from "react";
import { AddressWatcher } from "@/components/query";
import { DocumentTitle } from "@/components/DocumentTitle";
import { windowTitle } from "@/components/PageHead";
import { pageMetadata } from "@/components/metadata";
import { texts } from "@/messages";
import { WorkflowView } from "./WorkflowView";

const t = texts("workflows");

export const metadata: Metadata = { ...pageMetadata("/workflows", t.title, t.description), robots: { index: false } };

export default function Workflow() {
  return (
    <div className="wrap dashboard">
      <DocumentTitle of={windowTitle(t.title)} />
      <Suspense>
        <AddressWatcher />
      </Suspense>
      <WorkflowView t={t} common={texts("common")} statuses={texts("dashboard")} />
    </div>
  );
}
