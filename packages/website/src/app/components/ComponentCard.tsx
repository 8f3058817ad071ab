import { Code } from "@/components/Code";
import { Say } from "@/components/Say";
import { SiteLink } from "@/components/SiteLink";
import type { Component, Schema } from "@/catalog";
import { filled, type Text, type Texts, texts } from "@/messages";

const summaries: Readonly<Record<string, Text>> = texts("summaries");

/** Return what a component is for; one that the site does not know yet says so itself. */
export function summaryOf({ canonical_id: id, description }: Component): Text {
  return summaries[id] ?? { en: description, zh: description };
}

/** One component: what it is for, its parameters, its branches and an example. */
export function ComponentCard({ component, t }: { component: Component; t: Texts<"components"> }) {
  const { canonical_id: id, name, description, input_schema: schema, branches, example } = component;
  return (
    <article className="card component" aria-labelledby={`${id}-title`}>
      <header>
        <h2 id={`${id}-title`}>
          <a href={`#${id}`}>
            <Say of={name} />
          </a>
        </h2>
        <code>{id}</code>
      </header>
      <p>
        <Say of={summaryOf(component)} />
      </p>
      <details>
        <summary>
          <Say of={t.parameters} /> · <Say of={t.example} />
        </summary>
        <div className="component-details">
          <p className="soft" lang="en">
            {description}
          </p>
          <Parameters schema={schema} t={t} />
          {branches && (
            <p>
              <strong>
                <Say of={t.branches} />
              </strong>{" "}
              {branches.map((branch) => (
                <span key={branch} className="badge">
                  {branch}
                </span>
              ))}
            </p>
          )}
          <h3>
            <Say of={t.example} />
          </h3>
          <Code of={example} label={`config: ${id}`} />
          <p>
            <SiteLink href={`/docs/components#${id}`}>
              <Say of={t.more} />
            </SiteLink>
          </p>
        </div>
      </details>
    </article>
  );
}

function Parameters({ schema, t }: { schema: Schema; t: Texts<"components"> }) {
  const properties = Object.entries(schema.properties ?? {});
  if (properties.length === 0)
    return (
      <p>
        <Say of={t.noParameters} />
      </p>
    );
  return (
    <div className="table" tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">
              <Say of={t.name} />
            </th>
            <th scope="col">
              <Say of={t.type} />
            </th>
            <th scope="col">
              <Say of={t.about} />
            </th>
          </tr>
        </thead>
        <tbody>
          {properties.map(([name, property]) => (
            <tr key={name}>
              <td>
                <code>{name}</code>
                {schema.required?.includes(name) && (
                  <span className="badge accent">
                    <Say of={t.required} />
                  </span>
                )}
              </td>
              <td>
                <TypeOf schema={property} t={t} />
              </td>
              <td>
                {property.description && <span lang="en">{property.description} </span>}
                {property.enum && <Say of={filled(t.oneOf, { values: property.enum.map((value) => `\`${String(value)}\``).join(", ") })} />}
                {property.default !== undefined && (
                  <>
                    {" "}
                    <Say of={filled(t.byDefault, { value: `\`${JSON.stringify(property.default)}\`` })} />
                  </>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function TypeOf({ schema, t }: { schema: Schema; t: Texts<"components"> }) {
  const names = typesOf(schema);
  return names.length ? <code>{names.join(" | ")}</code> : <Say of={t.anyValue} />;
}

function typesOf(schema: Schema): readonly string[] {
  if (schema.type) return Array.isArray(schema.type) ? schema.type : [schema.type as string];
  if (schema.enum) return [...new Set(schema.enum.map((value) => typeof value))];
  return [...new Set([...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].flatMap(typesOf))];
}
