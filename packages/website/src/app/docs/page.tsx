import { PageHead } from "@/components/PageHead";
import { Say } from "@/components/Say";
import { SiteLink } from "@/components/SiteLink";
import { pageMetadata } from "@/components/metadata";
import { documents } from "@/catalog";
import { texts } from "@/messages";

const t = texts("docs");
const GROUPS = ["build", "reference", "operate", "contribute"] as const;

export const metadata = pageMetadata("/docs", t.title, t.description);

export default function Documents() {
  return (
    <div className="wrap">
      <PageHead title={t.title} lead={t.lead} />
      {GROUPS.map((group) => (
        <section key={group} className="document-group">
          <h2>
            <Say of={t[group]} />
          </h2>
          <ul className="grid">
            {documents
              .filter((document) => document.group === group)
              .map(({ slug, title, summary }) => (
                <li key={slug} className="card linked">
                  <h3>
                    <SiteLink href={`/docs/${slug}`} lang="en">
                      {title}
                    </SiteLink>
                  </h3>
                  <p lang="en">{summary}</p>
                </li>
              ))}
          </ul>
        </section>
      ))}
    </div>
  );
}
