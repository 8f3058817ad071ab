import { Code } from "@/components/Code";
import { PageHead } from "@/components/PageHead";
import { Say } from "@/components/Say";
import { pageMetadata } from "@/components/metadata";
import { promptRecipes } from "@/catalog";
import { texts } from "@/messages";
import { OwnRecipes } from "./OwnRecipes";

const t = texts("recipes");

export const metadata = pageMetadata("/recipes", t.title, t.description);

export default function Recipes() {
  return (
    <div className="wrap">
      <PageHead title={t.title} lead={t.lead} />
      <section className="dashboard-section" aria-labelledby="yours">
        <h2 id="yours">
          <Say of={t.yours} />
        </h2>
        <OwnRecipes t={t} common={texts("common")} />
      </section>
      <section className="dashboard-section" aria-labelledby="shipped">
        <h2 id="shipped">
          <Say of={t.shipped} />
        </h2>
        {promptRecipes.map(({ name, description, source }) => (
          <article key={name} className="card recipe" aria-labelledby={`${name}-title`}>
            <h3 id={`${name}-title`}>{name}</h3>
            <p className="soft">{description}</p>
            <Code of={source} label={`${name}.yaml`} />
          </article>
        ))}
      </section>
    </div>
  );
}
