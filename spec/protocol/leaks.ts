import { inspect } from 'node:util';

/** Everything that a log line could show of a value: all that `util.inspect` and `JSON.stringify` find. */
function printed(value: unknown): string {
  return [
    inspect(value, { depth: Infinity, showHidden: true, maxArrayLength: Infinity, maxStringLength: Infinity }),
    inspect(value),
    JSON.stringify(value),
    String(value),
  ].join('\n');
}

interface Form {
  readonly name: string;
  /** A part of a secret that is this long is a leak already; words of a text meet elsewhere too. */
  readonly windowBytes: number;
  readonly spell: (bytes: Uint8Array) => string;
}

const forms: readonly Form[] = [
  { name: 'hexadecimal', windowBytes: 4, spell: (bytes) => Buffer.from(bytes).toString('hex') },
  { name: 'a list of numbers', windowBytes: 4, spell: (bytes) => [...bytes].join(',') },
  { name: 'numbered values', windowBytes: 4, spell: (bytes) => [...bytes].map((byte) => `:${byte}`).join(',') },
  { name: 'base64', windowBytes: 6, spell: (bytes) => Buffer.from(bytes).toString('base64') },
  { name: 'base64url', windowBytes: 6, spell: (bytes) => Buffer.from(bytes).toString('base64url') },
  { name: 'text', windowBytes: 8, spell: (bytes) => Buffer.from(bytes).toString('latin1') },
];

/** The forms in which `value` shows a part of `secret` where it is printed: none should come back. */
export function leaksOf(secret: Uint8Array, value: unknown): string[] {
  const shown = printed(value);
  // What stands between the numbers of a list depends on its place in the printed tree.
  const dense = shown
    .replace(/\s+/g, '')
    .replace(/"\d+":/g, ':')
    .toLowerCase();
  const isShown = ({ windowBytes, spell }: Form): boolean => {
    for (let at = 0; at + windowBytes <= secret.length; at++) {
      const spelt = spell(secret.subarray(at, at + windowBytes));
      if (shown.includes(spelt) || dense.includes(spelt)) return true;
    }
    return false;
  };
  return forms.filter(isShown).map(({ name }) => name);
}
