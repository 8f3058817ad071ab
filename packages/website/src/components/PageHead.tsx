import type { ReactNode } from "react";
import type { Text } from "@/messages";
import { DocumentTitle } from "./DocumentTitle";
import { Say } from "./Say";

/** The title of the window in both languages, as the layout writes it in English. */
export function windowTitle(title: Text): Text {
  return { en: `${title.en} · arcrun`, zh: `${title.zh} · arcrun` };
}

/** The heading of a page, with what the page is for. */
export function PageHead({ title, lead, children }: { title: Text; lead: Text; children?: ReactNode }) {
  return (
    <header className="page-head">
      <DocumentTitle of={windowTitle(title)} />
      <h1>
        <Say of={title} />
      </h1>
      <p>
        <Say of={lead} />
      </p>
      {children}
    </header>
  );
}
