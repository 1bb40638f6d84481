const KEY = 'usmp-token';

/** The token of this tab: gone with the tab, and never in the address or in other tabs. */
export const keptToken = (storage: Pick<Storage, 'getItem'>): string | undefined => storage.getItem(KEY) ?? undefined;

export const keepToken = (storage: Pick<Storage, 'setItem'>, token: string): void => storage.setItem(KEY, token);

/** For one that the gateway refuses. */
export const forgetToken = (storage: Pick<Storage, 'removeItem'>): void => storage.removeItem(KEY);
