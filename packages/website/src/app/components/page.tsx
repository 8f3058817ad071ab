import { Filter } from "@/components/Filter";
import { Freshness } from "@/components/Freshness";
import { PageHead } from "@/components/PageHead";
import { pageMetadata } from "@/components/metadata";
import { built, components } from "@/catalog";
import { filled, texts } from "@/messages";
import { ComponentCard, summaryOf } from "./ComponentCard";

const t = texts("components");
const common = texts("common");
const CATEGORIES = [
  ["logic", t.logic],
  ["api", t.apiCategory],
  ["auth", t.auth],
] as const;

export const metadata = pageMetadata("/components", t.title, t.description);

export default function Components() {
  const entries = components.map((component) => {
    const { canonical_id: id, name, category, description, input_schema: schema } = component;
    const summary = summaryOf(component);
    const parameters = Object.keys(schema.properties ?? {});
    return {
      id,
      category,
      words: [id, name.en, name.zh, summary.en, summary.zh, description, ...parameters].join(" "),
      content: <ComponentCard component={component} t={t} />,
    };
  });
  return (
    <div className="wrap">
      <PageHead title={t.title} lead={t.lead} />
      <Freshness
        path="/components"
        capability="components"
        builtIn={filled(common.builtIn, { date: built })}
        field="components"
        id="canonical_id"
        built={components.map((component) => component.canonical_id)}
        down={common.engineDownCatalog}
        more={t.engineMore}
        fewer={t.engineFewer}
      />
      <div className="split">
        <nav className="aside" aria-label={t.title.en}>
          {components.map(({ canonical_id: id }) => (
            <a key={id} href={`#${id}`}>
              {id}
            </a>
          ))}
        </nav>
        <div>
          <Filter entries={entries} categories={CATEGORIES} texts={t} className="component-list" />
        </div>
      </div>
    </div>
  );
}
