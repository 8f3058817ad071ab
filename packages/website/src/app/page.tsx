import { Code } from "@/components/Code";
import { DocumentTitle } from "@/components/DocumentTitle";
import { FlowPicture } from "@/components/FlowPicture";
import { Say } from "@/components/Say";
import { SiteLink } from "@/components/SiteLink";
import { Tabs } from "@/components/Tabs";
import { components, services, snippet, versions } from "@/catalog";
import { filled, texts } from "@/messages";

const t = texts("home");
const WHY = [
  [t.readableTitle, t.readableText],
  [t.sealedTitle, t.sealedText],
  [t.durableTitle, t.durableText],
  [t.promptsTitle, t.promptsText],
  [t.agentsTitle, t.agentsText],
  [t.provenTitle, t.provenText],
] as const;
const WAYS = [
  { title: t.wayCli, text: t.wayCliText, install: "pip install './packages/python-sdk[cli]'", href: "/docs/cli" },
  { title: t.wayPython, text: t.wayPythonText, install: "pip install ./packages/python-sdk", href: "/docs/python-sdk" },
  { title: t.wayJavascript, text: t.wayJavascriptText, install: "nox -s js_build && npm install ./packages/js-sdk", href: "/docs/js-sdk" },
] as const;

export default function Home() {
  return (
    <>
      <DocumentTitle of={t.title} />
      <section className="hero">
        <div className="wrap">
          <p className="badge accent">
            <Say of={t.badge} />
          </p>
          <h1>
            <Say of={t.headline} />
          </h1>
          <p className="lead">
            <Say of={t.lead} />
          </p>
          <p className="buttons">
            <SiteLink href="/login" className="button primary large">
              <Say of={t.start} />
            </SiteLink>
            <SiteLink href="/docs" className="button large">
              <Say of={t.read} />
            </SiteLink>
          </p>
          <FlowPicture />
        </div>
      </section>
      <section className="section">
        <div className="wrap code-section">
          <div className="section-head">
            <h2>
              <Say of={t.codeTitle} />
            </h2>
            <p>
              <Say of={t.codeText} />
            </p>
            <p className="small">
              <Say of={t.install} />
            </p>
          </div>
          <Examples />
        </div>
      </section>
      <section className="section band">
        <div className="wrap">
          <div className="section-head">
            <h2>
              <Say of={t.waysTitle} />
            </h2>
            <p>
              <Say of={t.waysText} />
            </p>
          </div>
          <ul className="grid ways">
            {WAYS.map(({ title, text, install, href }) => (
              <li key={href} className="card">
                <h3>
                  <SiteLink href={href}>
                    <Say of={title} />
                  </SiteLink>
                </h3>
                <p>
                  <Say of={text} />
                </p>
                <Code of={{ text: install, html: install.replaceAll("&", "&amp;") }} />
              </li>
            ))}
          </ul>
          <p className="caption">
            <Say of={t.install} />
          </p>
        </div>
      </section>
      <section className="section">
        <div className="wrap">
          <div className="section-head">
            <h2>
              <Say of={t.whyTitle} />
            </h2>
            <p>
              <Say of={t.whyText} />
            </p>
          </div>
          <ul className="why">
            {WHY.map(([title, text]) => (
              <li key={title.en}>
                <h3>
                  <Say of={title} />
                </h3>
                <p>
                  <Say of={text} />
                </p>
              </li>
            ))}
          </ul>
        </div>
      </section>
      <section className="section band">
        <div className="wrap">
          <div className="section-head">
            <h2>
              <Say of={t.catalogTitle} />
            </h2>
            <p>
              <Say of={filled(t.catalogText, { components: components.length, services: services.length })} />
            </p>
          </div>
          <ul className="names">
            {services.map(({ service, name }) => (
              <li key={service}>
                <SiteLink href={`/integrations?service=${service}`}>{name.en.replace(" (service account)", "")}</SiteLink>
              </li>
            ))}
          </ul>
          <p className="buttons">
            <SiteLink href="/integrations" className="button">
              <Say of={t.allIntegrations} />
            </SiteLink>
            <SiteLink href="/components" className="button">
              <Say of={t.allComponents} />
            </SiteLink>
          </p>
        </div>
      </section>
      <section className="section closing">
        <div className="wrap">
          <h2>
            <Say of={t.closingTitle} />
          </h2>
          <p>
            <Say of={t.closingText} />
          </p>
          <SiteLink href="/login" className="button primary large">
            <Say of={t.start} />
          </SiteLink>
        </div>
      </section>
    </>
  );
}

function Examples() {
  const { python, javascript, engine } = versions;
  return (
    <Tabs
      label={t.codeLabel}
      tabs={[
        {
          name: "python",
          label: "Python",
          content: <Example files={[["quickstart.py", "Python"]]} ran={{ package: "arcrun", version: python, engine }} />,
        },
        {
          name: "javascript",
          label: "JavaScript",
          content: (
            <Example files={[["quickstart.mjs", "JavaScript"]]} ran={{ package: "@arcrun/sdk", version: javascript, engine }} />
          ),
        },
        { name: "http", label: "curl", content: <Example files={[["quickstart.sh", "curl"]]} ran={{ engine }} /> },
        {
          name: "cli",
          label: <Say of={t.wayCli} />,
          content: (
            <Example
              files={[
                ["workflow.yaml", "workflow.yaml"],
                ["command-line.sh", "acr"],
              ]}
              ran={{ package: "arcrun[cli]", version: python, engine }}
            />
          ),
        },
      ]}
    />
  );
}

interface ExampleProps {
  /** The snippets, each with its label. */
  readonly files: readonly (readonly [file: Parameters<typeof snippet>[0], label: string])[];
  /** What the tests ran them with. */
  readonly ran: Readonly<Record<string, string>>;
}

function Example({ files, ran }: ExampleProps) {
  return (
    <>
      {files.map(([file, label]) => (
        <Code key={file} of={snippet(file)} label={label} />
      ))}
      <p className="caption">
        <Say of={filled(ran.package ? t.ranWith : t.ranWithHttp, ran)} />
      </p>
    </>
  );
}
