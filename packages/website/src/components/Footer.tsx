import { type Text, texts } from "@/messages";
import { Mark } from "./Header";
import { Say } from "./Say";
import { SiteLink } from "./SiteLink";

const t = texts("common");
const GROUPS: readonly { title: Text; links: readonly (readonly [string, Text])[] }[] = [
  {
    title: t.product,
    links: [
      ["/components", t.components],
      ["/integrations", t.integrations],
      ["/recipes", t.recipes],
      ["/dashboard", t.dashboard],
    ],
  },
  {
    title: t.build,
    links: [
      ["/docs", t.documents],
      ["/api-docs", t.api],
      ["/docs/contract", t.contract],
    ],
  },
  {
    title: t.project,
    links: [
      ["/conformance", t.conformance],
      ["/docs/changelog", t.changelog],
      ["/docs/security", t.security],
    ],
  },
];

/** The bottom of every page. */
export function Footer() {
  return (
    <footer className="site-footer">
      <div className="wrap">
        <div>
          <SiteLink href="/" className="logo">
            <Mark />
            arcrun
          </SiteLink>
          <p>
            <Say of={t.tagline} />
          </p>
          <p>
            <Say of={t.license} />
          </p>
        </div>
        {GROUPS.map(({ title, links }) => (
          <nav key={title.en} aria-label={title.en}>
            <h2>
              <Say of={title} />
            </h2>
            <ul className="links">
              {links.map(([href, text]) => (
                <li key={href}>
                  <SiteLink href={href}>
                    <Say of={text} />
                  </SiteLink>
                </li>
              ))}
            </ul>
          </nav>
        ))}
      </div>
    </footer>
  );
}
