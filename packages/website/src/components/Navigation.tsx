"use client";

import { usePathname } from "next/navigation";
import { useRef } from "react";
import type { Text } from "@/messages";
import { Say } from "./Say";
import { SiteLink } from "./SiteLink";
import { useLanguage } from "./language";

export interface Destination {
  readonly href: string;
  readonly text: Text;
}

/** The site's pages in a row, and on a small screen in a menu; the one that is shown is marked. */
export function Navigation({ pages, more, label, menu }: Props) {
  const path = usePathname();
  const language = useLanguage();
  const details = useRef<HTMLDetailsElement>(null);
  const links = (list: readonly Destination[], onClick?: () => void) =>
    list.map(({ href, text }) => (
      <SiteLink key={href} href={href} onClick={onClick} aria-current={isWithin(path, href) ? "page" : undefined}>
        <Say of={text} />
      </SiteLink>
    ));
  return (
    <>
      <nav className="site-nav" aria-label={label[language]}>
        {links(pages)}
      </nav>
      <details className="menu" ref={details}>
        <summary aria-label={menu[language]}>
          <svg width="20" height="20" viewBox="0 0 24 24" stroke="currentColor" strokeWidth="2" aria-hidden="true">
            <path d="M4 7h16M4 12h16M4 17h16" />
          </svg>
        </summary>
        <nav aria-label={menu[language]}>{links([...pages, ...more], () => details.current?.removeAttribute("open"))}</nav>
      </details>
    </>
  );
}

interface Props {
  readonly pages: readonly Destination[];
  readonly more: readonly Destination[];
  readonly label: Text;
  readonly menu: Text;
}

function isWithin(path: string, href: string): boolean {
  return path === href || path.startsWith(`${href}/`);
}
