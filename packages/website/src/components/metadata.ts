import type { Metadata } from "next";
import type { Text } from "@/messages";

/** Return what search engines and other sites show of a page. */
export function pageMetadata(path: string, title: Text, description: Text): Metadata {
  return {
    title: title.en,
    description: description.en,
    alternates: { canonical: path },
    openGraph: { title: title.en, description: description.en, url: path },
  };
}
