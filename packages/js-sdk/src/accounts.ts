/** What the secrets of one account of several are called. */

import { checkName, LETTERS, WORD } from "./names.js";

/** Checks an account's name, if there is one. */
export const checkAccount = (account: string | undefined): void => {
  if (account !== undefined) checkName(account, WORD, "an account", LETTERS);
};

/** Names the credential that holds a service's secret, for one account of several. */
export const credentialName = (key: string, account: string | undefined): string =>
  account === undefined ? key : `${key}__${account}`;

/** Names the environment variable that may hold a credential. */
export const secretVariable = (name: string): string => `ARCRUN_SECRET_${name.toUpperCase()}`;
