import Link from "next/link";
import type { ComponentProps } from "react";

// Their policy allows what the other pages' does not, and a policy counts for the whole visit of a document.
const OWN_POLICY = new Set(["/api-docs"]);

/** A link to a page of the site; what it needs is loaded when it is followed. */
export function SiteLink({ href, ...rest }: Omit<ComponentProps<"a">, "href"> & { href: string }) {
  if (OWN_POLICY.has(href)) return <a href={href} {...rest} />;
  return <Link href={href} prefetch={false} {...rest} />;
}
