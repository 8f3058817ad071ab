import { Filter } from "@/components/Filter";
import { Freshness } from "@/components/Freshness";
import { PageHead } from "@/components/PageHead";
import { Say } from "@/components/Say";
import { pageMetadata } from "@/components/metadata";
import { apiRecipes, services } from "@/catalog";
import { type Text, texts } from "@/messages";
import { OpenNamed } from "./OpenNamed";
import { ServiceCard } from "./ServiceCard";

const t = texts("integrations");
const common = texts("common");
const CATEGORIES: readonly (readonly [string, Text])[] = [
  ["ai", t.ai],
  ["communication", t.communication],
  ["data", t.data],
  ["development", t.development],
  ["payments", t.payments],
  ["productivity", t.productivity],
  ["sales", t.sales],
];

export const metadata = pageMetadata("/integrations", t.title, t.description);

export default function Integrations() {
  const entries = services.map((service) => ({
    id: service.service,
    category: service.category,
    words: [service.service, service.name.en, service.description.en, service.description.zh].join(" "),
    content: <ServiceCard service={service} category={categoryOf(service.category)} t={t} />,
  }));
  return (
    <div className="wrap">
      <PageHead title={t.title} lead={t.lead} />
      <Freshness
        path="/auth-recipes"
        field="recipes"
        id="service"
        built={services.map(({ service }) => service)}
        down={common.engineDownCatalog}
        more={t.engineMore}
        fewer={t.engineFewer}
      />
      <OpenNamed />
      <Filter entries={entries} categories={CATEGORIES} texts={t} className="service-list" />
      <section className="section" aria-labelledby="ready">
        <div className="section-head">
          <h2 id="ready">
            <Say of={t.ready} />
          </h2>
          <p>
            <Say of={t.readyText} />
          </p>
        </div>
        <ul className="grid">
          {apiRecipes.map(({ id, name, description, method }) => (
            <li key={id} className="card small-card">
              <h3>
                <Say of={name} />
              </h3>
              <p>
                <Say of={description} />
              </p>
              <p>
                <span className="badge">{method}</span> <code>{id}</code>
              </p>
            </li>
          ))}
        </ul>
      </section>
    </div>
  );
}

function categoryOf(name: string): Text {
  return CATEGORIES.find(([category]) => category === name)?.[1] ?? t.other;
}
