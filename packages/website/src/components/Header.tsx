import { texts } from "@/messages";
import { LanguageSwitch } from "./LanguageSwitch";
import { Navigation } from "./Navigation";
import { Say } from "./Say";
import { SiteLink } from "./SiteLink";
import { ThemeSwitch } from "./ThemeSwitch";

const t = texts("common");
const PAGES = [
  { href: "/components", text: t.components },
  { href: "/integrations", text: t.integrations },
  { href: "/recipes", text: t.recipes },
  { href: "/docs", text: t.documents },
  { href: "/api-docs", text: t.api },
];
const MORE = [
  { href: "/dashboard", text: t.dashboard },
  { href: "/login", text: t.logIn },
];

/** The mark of arcrun: an arc from one node to the next. */
export function Mark() {
  return (
    <svg className="mark" width="26" height="26" viewBox="0 0 32 32" strokeWidth="3.5" strokeLinecap="round" aria-hidden="true">
      <path d="M6 23a10 10 0 0 1 20 0" />
      <circle cx="6" cy="23" r="2.4" />
      <circle cx="26" cy="23" r="2.4" />
    </svg>
  );
}

/** The top of every page. */
export function Header() {
  return (
    <header className="site-header">
      <div className="wrap">
        <SiteLink href="/" className="logo">
          <Mark />
          arcrun
        </SiteLink>
        <Navigation pages={PAGES} more={MORE} label={t.navigation} menu={t.menu} />
        <div className="site-tools">
          <LanguageSwitch />
          <ThemeSwitch label={t.theme} names={{ system: t.themeSystem, light: t.themeLight, dark: t.themeDark }} />
          <SiteLink href="/dashboard" className="button small">
            <Say of={t.dashboard} />
          </SiteLink>
        </div>
      </div>
    </header>
  );
}
