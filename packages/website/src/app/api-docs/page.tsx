import { PageHead } from "@/components/PageHead";
import { pageMetadata } from "@/components/metadata";
import { texts } from "@/messages";

const t = texts("api");

export const metadata = pageMetadata("/api-docs", t.title, t.description);

export default function Page() {
  return (
    <div className="wrap">
      <PageHead title={t.title} lead={t.lead} />
    </div>
  );
}
