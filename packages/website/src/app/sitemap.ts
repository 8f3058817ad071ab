import type { MetadataRoute } from "next";
import { documents } from "@/catalog";

export const dynamic = "force-static";

const SITE = "https://arcrun.dev";
// The dashboard and a workflow show what belongs to an account.
const PAGES = [
  "/",
  "/components",
  "/integrations",
  "/recipes",
  "/api-docs",
  "/docs",
  "/conformance",
  "/login",
];

/** Return the pages that search engines may list, as robots.txt says. */
export default function sitemap(): MetadataRoute.Sitemap {
  const paths = [...PAGES, ...documents.map(({ slug }) => `/docs/${slug}`)];
  return paths.map((path) => ({ url: `${SITE}${path}` }));
}
