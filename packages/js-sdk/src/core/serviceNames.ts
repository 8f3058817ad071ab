/** Names of services, of their accounts, and of what holds their secrets. */

import { checkName, LETTERS, WORD } from "./names.js";

/** Returns the service's name, or says what is wrong with it. */
export const checkService = (service: string): string =>
  checkName(
    service,
    /^[a-z0-9_][a-z0-9_-]*$/,
    "a service",
    "lower-case letters, digits, _ and -; client.auth.listServices() lists them",
  );

/** Checks an account's name, if there is one. */
export const checkAccount = (account: string | undefined): void => {
  if (account !== undefined) checkName(account, WORD, "an account", LETTERS);
};

/** Names the credential that holds a service's secret, for one account of several. */
export const credentialName = (key: string, account: string | undefined): string =>
  account === undefined ? key : `${key}__${account}`;

/** Names the environment variable that may hold a credential. */
export const secretVariable = (name: string): string => `ARCRUN_SECRET_${name.toUpperCase()}`;
