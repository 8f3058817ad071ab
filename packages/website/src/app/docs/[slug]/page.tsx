import type { Metadata } from "next";
import { notFound } from "next/navigation";
import { Say } from "@/components/Say";
import { SiteLink } from "@/components/SiteLink";
import { pageMetadata } from "@/components/metadata";
import { documents } from "@/catalog";
import { filled, texts } from "@/messages";

const t = texts("docs");
const GROUPS = ["build", "reference", "operate", "contribute"] as const;

interface Props {
  readonly params: Promise<{ slug: string }>;
}

export const dynamicParams = false;

export function generateStaticParams() {
  return documents.map(({ slug }) => ({ slug }));
}

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  const { slug } = await params;
  const document = documents.find((one) => one.slug === slug);
  if (!document) return {};
  const { title, summary } = document;
  return pageMetadata(`/docs/${slug}`, { en: title, zh: title }, { en: summary, zh: summary });
}

export default async function DocumentPage({ params }: Props) {
  const { slug } = await params;
  const document = documents.find((one) => one.slug === slug);
  if (!document) notFound();
  return (
    <div className="wrap document-page">
      <nav className="aside" aria-label={t.all.en}>
        {GROUPS.map((group) => (
          <div key={group}>
            <h2>
              <Say of={t[group]} />
            </h2>
            {documents
              .filter((one) => one.group === group)
              .map((one) => (
                <SiteLink key={one.slug} href={`/docs/${one.slug}`} lang="en" aria-current={one === document ? "page" : undefined}>
                  {one.title}
                </SiteLink>
              ))}
          </div>
        ))}
      </nav>
      <article className="document">
        <p className="notice zh" lang="zh-Hant">
          {t.english.zh}
        </p>
        <div lang="en">
          <h1>{document.title}</h1>
          {/* The build has made this HTML from a document of the repository, in which HTML is switched off. */}
          <div className="prose" dangerouslySetInnerHTML={{ __html: document.html }} />
        </div>
        <p className="source">
          <Say of={filled(t.source, { path: document.path })} />
        </p>
      </article>
      <nav className="aside contents" aria-label={t.onThisPage.en}>
        <h2>
          <Say of={t.onThisPage} />
        </h2>
        {document.headings.map(({ id, level, text }) => (
          <a key={id} href={`#${id}`} lang="en" className={level}>
            {text}
          </a>
        ))}
      </nav>
    </div>
  );
}
