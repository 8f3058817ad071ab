import { PageHead } from "@/components/PageHead";
import { Say } from "@/components/Say";
import { pageMetadata } from "@/components/metadata";
import { texts } from "@/messages";
import { Reference } from "./Reference";

const t = texts("api");
const common = texts("common");

export const metadata = pageMetadata("/api-docs", t.title, t.description);

export default function ApiReference() {
  return (
    <div className="wrap">
      <link rel="stylesheet" href="/swagger-ui/swagger-ui.css" precedence="default" />
      <PageHead title={t.title} lead={t.lead} />
      <noscript>
        <p className="notice">
          <span>
            <Say of={t.noScript} /> <a href="/arcrun.yaml">{t.file.en}</a>
          </span>
        </p>
      </noscript>
      <Reference t={t} common={common} />
    </div>
  );
}
