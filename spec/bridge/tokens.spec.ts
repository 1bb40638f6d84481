import { describe, expect, it } from '@jest/globals';
import { inspect } from 'node:util';
import type { BridgeToken } from '../../src/bridge/tokens.js';
import { Tokens } from '../../src/bridge/tokens.js';
import { ConfigError } from '../../src/protocol/errors.js';

const READ = 'a token that may read';
const COMMAND = 'another one, that may send';
const tokens = new Tokens([
  { token: READ, role: 'read' },
  { token: COMMAND, role: 'command' },
]);

describe('tokens', () => {
  it('give the role of the one that was shown, as text and as bytes', () => {
    expect(tokens.roleOf(READ)).toBe('read');
    expect(tokens.roleOf(COMMAND)).toBe('command');
    expect(tokens.roleOf(Buffer.from(COMMAND))).toBe('command');
  });

  it.each(['', READ.slice(1), `${READ}x`, READ.toUpperCase(), 'x'.repeat(READ.length), 'x'.repeat(100_000)])(
    'give no role to what is none of them, whatever its length (%#)',
    (wrong) => {
      expect(tokens.roleOf(wrong)).toBeUndefined();
    },
  );

  it.each<[string, unknown]>([
    ['none', []],
    ['no list', READ],
    ['no object', [READ]],
    ['null', [null]],
    ['15 characters', [{ token: 'x'.repeat(15), role: 'read' }]],
    ['more than 1,000 characters', [{ token: 'x'.repeat(1_001), role: 'read' }]],
    ['bytes', [{ token: Buffer.from(READ), role: 'read' }]],
    ['an unknown role', [{ token: READ, role: 'admin' }]],
    ['in the place of the role', [{ token: COMMAND, role: READ }]],
    [
      'the same one twice',
      [
        { token: READ, role: 'read' },
        { token: READ, role: 'command' },
      ],
    ],
  ])('are refused where they are %s, without showing them', (_, wrong) => {
    const make = (): unknown => new Tokens(wrong as BridgeToken[]);

    expect(make).toThrow(ConfigError);
    expect(make).toThrow(/^tokens/);
    expect(make).not.toThrow(READ);
  });

  it('show none of them when they are printed', () => {
    const printed = inspect(tokens, { depth: 9, showHidden: true }) + JSON.stringify(tokens);

    expect(printed).not.toContain(READ);
    expect(Object.keys(tokens)).toEqual([]);
  });
});
