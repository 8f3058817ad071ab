import type { Metadata } from "next";
import { copyTexts } from "@/components/Code";
import { DocumentTitle } from "@/components/DocumentTitle";
import { windowTitle } from "@/components/PageHead";
import { pageMetadata } from "@/components/metadata";
import { snippet } from "@/catalog";
import { texts } from "@/messages";
import { Dashboard } from "./Dashboard";

const t = texts("dashboard");
const common = texts("common");

export const metadata: Metadata = {
  ...pageMetadata("/dashboard", t.title, t.description),
  robots: { index: false },
};

export default function DashboardPage() {
  const programs = {
    python: snippet("quickstart.py"),
    javascript: snippet("quickstart.mjs"),
    http: snippet("quickstart.sh"),
  };
  return (
    <div className="wrap dashboard">
      <DocumentTitle of={windowTitle(t.title)} />
      <Dashboard t={t} common={common} copy={copyTexts} programs={programs} />
    </div>
  );
}
