import { Code } from "@/components/Code";
import { Say } from "@/components/Say";
import { Tabs } from "@/components/Tabs";
import type { Service } from "@/catalog";
import type { Text, Texts } from "@/messages";

type T = Texts<"integrations">;

const PRIMITIVES = {
  static_key: "staticKey",
  service_account: "serviceAccount",
  oauth2: "oauth2",
  mtls: "mtls",
} as const satisfies Record<string, keyof T>;

/** One service: what it is, what one needs for it, and the code that sets it up. */
export function ServiceCard({ service, category, t }: { service: Service; category: Text; t: T }) {
  const { name, description, base_url: address, primitive, secrets, snippets } = service;
  return (
    <article className="card service" aria-labelledby={`${service.service}-title`}>
      <header>
        <span className="letter" aria-hidden="true">
          {name.en.slice(0, 1).toUpperCase()}
        </span>
        <div>
          <h2 id={`${service.service}-title`}>
            <Say of={name} />
          </h2>
          <span className="fine">
            <Say of={category} />
          </span>
        </div>
      </header>
      <p>
        <Say of={description} />
      </p>
      <details>
        <summary className="button small">
          <Say of={t.show} />
          <span className="only-read-aloud">{name.en}</span>
        </summary>
        <div className="service-details">
          <dl>
            <dt>
              <Say of={t.address} />
            </dt>
            <dd>
              {address.startsWith("/") && (
                <>
                  <Say of={t.engineOwn} />{" "}
                </>
              )}
              <code>{address}</code>
            </dd>
            <dt>
              <Say of={t.signIn} />
            </dt>
            <dd>
              <Say of={t[PRIMITIVES[primitive as keyof typeof PRIMITIVES] ?? "other"]} />
            </dd>
          </dl>
          <h3>
            <Say of={t.needs} />
          </h3>
          <ul className="secrets">
            {secrets.map(({ key, label, help, help_url: url }) => (
              <li key={key}>
                <strong>
                  <Say of={label} />
                </strong>{" "}
                <code>{key}</code>
                <p>
                  <Say of={help} />{" "}
                  <a href={url} rel="noopener noreferrer">
                    <Say of={t.whereToGet} />
                    <span className="only-read-aloud">: {name.en}</span>
                  </a>
                </p>
              </li>
            ))}
          </ul>
          <h3>
            <Say of={t.setUp} />
          </h3>
          <Tabs
            label={t.codeLanguage}
            tabs={[
              { name: "python", label: "Python", content: <Code of={snippets.python} label="Python" /> },
              { name: "javascript", label: "JavaScript", content: <Code of={snippets.javascript} label="JavaScript" /> },
            ]}
          />
        </div>
      </details>
    </article>
  );
}
