export const THEMES = ['system', 'light', 'dark'] as const;
/** `system`: as the operating system has it. */
export type Theme = (typeof THEMES)[number];

const KEY = 'usmp-theme';

export const nextTheme = (theme: Theme): Theme => THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length]!;

/** What the reader chose before; anything else in the storage is no theme. */
export const storedTheme = (storage: Pick<Storage, 'getItem'>): Theme =>
  THEMES.find((theme) => theme === storage.getItem(KEY)) ?? 'system';

/** The style sheet does the rest. */
export function applyTheme(theme: Theme, root: HTMLElement, storage: Pick<Storage, 'setItem'>): void {
  root.dataset['theme'] = theme;
  storage.setItem(KEY, theme);
}
