import type { Messages } from "./index";
import { account } from "./zh/account";
import { catalog } from "./zh/catalog";
import { site } from "./zh/site";
import { summaries } from "./zh/summaries";

/** Every text of the site in Traditional Chinese. */
export const zh: Messages = { ...site, ...catalog, ...account, ...summaries };
