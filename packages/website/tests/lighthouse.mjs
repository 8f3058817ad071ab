// Prints what Lighthouse finds on pages, a line of JSON for each: lighthouse.mjs PORT URL…, PORT that of a browser's DevTools.
import lighthouse from "lighthouse";

const [port, ...urls] = process.argv.slice(2);
for (const url of urls) {
  const { lhr } = await lighthouse(url, {
    port: Number(port),
    logLevel: "error",
    // As fast as the machine is: the figures of performance are for reading.
    throttlingMethod: "provided",
    onlyCategories: ["accessibility", "best-practices", "seo", "performance"],
  });
  const categories = Object.values(lhr.categories).map(({ id, score, auditRefs }) => {
    const audits = auditRefs
      .map((ref) => ({ ...lhr.audits[ref.id], weight: ref.weight }))
      .filter(({ weight, score }) => weight > 0 && score !== null);
    const failed = audits
      .filter(({ score }) => score < 0.9)
      .map(({ id, weight, details }) => ({ id, weight, items: JSON.stringify(details?.items ?? []).slice(0, 400) }));
    const weight = audits.reduce((sum, audit) => sum + audit.weight, 0);
    return [id, { score: score === null ? null : Math.round(100 * score), weight, failed }];
  });
  console.log(JSON.stringify({ url, categories: Object.fromEntries(categories) }));
}
