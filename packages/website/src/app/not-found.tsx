import { PageHead } from "@/components/PageHead";
import { Say } from "@/components/Say";
import { SiteLink } from "@/components/SiteLink";
import { texts } from "@/messages";

const t = texts("common");

export default function NotFound() {
  return (
    <div className="wrap">
      <PageHead title={t.notFoundTitle} lead={t.notFoundText}>
        <p>
          <SiteLink href="/" className="button">
            <Say of={t.notFoundHome} />
          </SiteLink>
        </p>
      </PageHead>
    </div>
  );
}
