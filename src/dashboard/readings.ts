import { jsonOf } from './payload.js';

/** The numbers in a message, by the names of their fields. */
export interface Reading {
  readonly atMs: number;
  readonly values: ReadonlyMap<string, number>;
}

/** More fields than these are not followed: nobody could tell their lines apart. */
export const MAX_FIELDS = 8;
const MAX_DEPTH = 3;
/** Beyond, what measures a scale would overflow. */
const MAX_MAGNITUDE = 1e100;
/** The name of a message that is a number and nothing else. */
const ALONE = 'value';

/** The numeric fields of a JSON message, those of nested ones as `wind.speed` and `phases[0]`; the first 8 of them. */
export function numbersIn(payload: Uint8Array): ReadonlyMap<string, number> {
  const numbers = new Map<string, number>();
  collect(jsonOf(payload), '', 0, numbers);
  return numbers;
}

function collect(value: unknown, name: string, depth: number, into: Map<string, number>): void {
  if (typeof value === 'number') {
    if (Math.abs(value) <= MAX_MAGNITUDE && into.size < MAX_FIELDS) into.set(name || ALONE, value);
  } else if (typeof value === 'object' && value !== null && depth < MAX_DEPTH) {
    for (const [key, field] of Object.entries(value)) {
      const path = Array.isArray(value) ? `${name}[${key}]` : name ? `${name}.${key}` : key;
      collect(field, path, depth + 1, into);
    }
  }
}
