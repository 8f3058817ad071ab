import { PageHead } from "@/components/PageHead";
import { pageMetadata } from "@/components/metadata";
import { texts } from "@/messages";

const t = texts("workflows");

export const metadata = pageMetadata("/workflows", t.title, t.description);

export default function Page() {
  return (
    <div className="wrap">
      <PageHead title={t.title} lead={t.description} />
    </div>
  );
}
