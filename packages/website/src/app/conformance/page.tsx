import { PageHead } from "@/components/PageHead";
import { Say } from "@/components/Say";
import { SiteLink } from "@/components/SiteLink";
import { Empty } from "@/components/states";
import { pageMetadata } from "@/components/metadata";
import { conformance } from "@/catalog";
import { filled, texts } from "@/messages";

const t = texts("conformance");

export const metadata = pageMetadata("/conformance", t.title, t.description);

export default function Conformance() {
  return (
    <div className="wrap">
      <PageHead title={t.title} lead={t.lead} />
      {conformance ? <Report report={conformance} /> : <Empty title={t.none} text={t.noneText} />}
      <section className="section why">
        <div>
          <h2>
            <Say of={t.howTitle} />
          </h2>
          <p>
            <Say of={t.how} />{" "}
            <SiteLink href="/docs/writing-scenarios">
              <Say of={texts("common").documents} />
            </SiteLink>
          </p>
        </div>
        <div>
          <h2>
            <Say of={t.mutantsTitle} />
          </h2>
          <p>
            <Say of={t.mutants} />
          </p>
        </div>
      </section>
    </div>
  );
}

function Report({ report }: { report: NonNullable<typeof conformance> }) {
  return (
    <>
      <p className="soft">
        <Say of={filled(t.made, { date: report.date })} /> · <Say of={filled(t.scenarios, { count: report.scenarios })} />
      </p>
      <div className="table" tabIndex={0}>
        <table>
          <thead>
            <tr>
              {[t.sdk, t.passed, t.failed, t.skipped].map((text) => (
                <th key={text.en} scope="col">
                  <Say of={text} />
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {report.columns.map(({ name, passed, failed, skipped }) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td>{passed}</td>
                <td>{failed > 0 ? <span className="badge bad">{failed}</span> : failed}</td>
                <td>{skipped}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}
