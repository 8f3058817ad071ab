import { account } from "./en/account";
import { catalog } from "./en/catalog";
import { site } from "./en/site";
import { summaries } from "./en/summaries";

/** Every text of the site in English; the other languages must have the same keys. */
export const en = { ...site, ...catalog, ...account, ...summaries } as const;
