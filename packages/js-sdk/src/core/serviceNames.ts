/** Names of services, of their accounts, and of the credentials and variables that hold their secrets. */

import { checkName, checkWord } from "./names.js";

/** Returns a service's name; throws if it is not valid. */
export const checkService = (service: string): string =>
  checkName(
    service,
    /^[a-z0-9_][a-z0-9_-]*$/,
    "service name",
    "lower-case letters, digits, _ and -; client.auth.listServices() lists the services",
  );

/** Throws if an account's name is not valid. */
export const checkAccount = (account: string | undefined): void => {
  if (account !== undefined) checkWord(account, "account");
};

/** Returns the name of the credential that holds a service's secret, for one account of several. */
export const credentialName = (key: string, account: string | undefined): string =>
  account === undefined ? key : `${key}__${account}`;

/** Returns the name of the environment variable that may hold a credential. */
export const secretVariable = (name: string): string => `ARCRUN_SECRET_${name.toUpperCase()}`;
