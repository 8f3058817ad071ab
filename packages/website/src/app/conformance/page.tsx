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
  const failed = report.columns.filter(({ failures }) => failures.length > 0);
  return (
    <>
      <p className="run-head">
        {report.verdict && (
          <span className={`badge ${report.verdict === "GO" ? "good" : "bad"}`}>
            <Say of={report.verdict === "GO" ? t.go : t.noGo} />
          </span>
        )}
        <Say of={filled(t.made, { date: report.date })} /> · <Say of={filled(t.scenarios, { count: report.scenarios })} /> ·{" "}
        <Say of={t.engine} /> {report.engine}
      </p>
      <div className="table results" tabIndex={0}>
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
            {report.columns.map((column) => (
              <tr key={column.name}>
                <th scope="row">
                  {column.name}
                  <span className="fine">{[column.package, column.runtime].filter(Boolean).join(" · ")}</span>
                </th>
                <td>
                  {column.passed}
                  <progress max={column.passed + column.failed} value={column.passed} aria-hidden="true" />
                </td>
                <td>{column.failed > 0 ? <span className="badge bad">✗ {column.failed}</span> : <span className="badge good">✓ 0</span>}</td>
                <td>{column.skipped}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {failed.map(({ name, failures }) => (
        <details key={name} className="failures">
          <summary>
            <Say of={filled(t.failures, { name, count: failures.length })} />
          </summary>
          <ul>
            {failures.map((id) => (
              <li key={id}>
                <code>{id}</code>
              </li>
            ))}
          </ul>
        </details>
      ))}
    </>
  );
}
