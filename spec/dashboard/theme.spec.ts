import { describe, expect, it } from '@jest/globals';
import { applyTheme, nextTheme, storedTheme } from '../../src/dashboard/theme.js';

describe('the theme', () => {
  it('goes round: as the system has it, light, dark', () => {
    expect([nextTheme('system'), nextTheme('light'), nextTheme('dark')]).toEqual(['light', 'dark', 'system']);
  });

  it('is kept, and anything else in the storage is as the system has it', () => {
    const kept = new Map<string, string>();
    const storage = {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => void kept.set(key, value),
    };
    expect(storedTheme(storage)).toBe('system');
    const root = { dataset: {} as DOMStringMap };
    applyTheme('dark', root as HTMLElement, storage);
    expect(root.dataset['theme']).toBe('dark');
    expect(storedTheme(storage)).toBe('dark');
    kept.forEach((_, key) => kept.set(key, 'purple'));
    expect(storedTheme(storage)).toBe('system');
  });
});
