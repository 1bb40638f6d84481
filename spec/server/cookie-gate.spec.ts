import { describe, expect, it } from '@jest/globals';
import { nodeCrypto } from '../../src/crypto/node.js';
import { concatBytes, decodeFrame, encodeFrame, PacketType, type Frame } from '../../src/protocol/index.js';
import { CookieGate, type HelloVerdict } from '../../src/server/cookie-gate.js';
import { pattern } from '../protocol/pair.js';

const FROM = { address: '192.0.2.1', port: 5_000 };
const IDENTITY = pattern(6 + 32, 1);

const hello = (payload: Uint8Array, seq = 0): Frame => decodeFrame(encodeFrame(PacketType.HELLO, seq, payload));

/** The cookie of a HELLO_RETRY. */
function cookieIn(verdict: HelloVerdict): Uint8Array {
  if (verdict.verdict !== 'challenged') throw new Error(verdict.verdict);
  return decodeFrame(verdict.replies[1] as Uint8Array).payload;
}

function gateWithCookie(nowMs = 0) {
  const gate = new CookieGate(nodeCrypto, 10);
  return { gate, cookie: cookieIn(gate.judge(hello(IDENTITY), FROM, nowMs)) };
}

describe('a HELLO without a cookie', () => {
  it('is answered with a UTACK of its number and HELLO_RETRY, 35 bytes for the 50 that came', () => {
    const frame = hello(IDENTITY, 3);
    const verdict = new CookieGate(nodeCrypto, 10).judge(frame, FROM, 0);
    if (verdict.verdict !== 'challenged') throw new Error(verdict.verdict);
    const [acknowledgement, retry] = verdict.replies as [Uint8Array, Uint8Array];

    expect(acknowledgement).toEqual(Uint8Array.of(0xac, 0xac, PacketType.HELLO, 3, 0, 0, 0));
    expect(decodeFrame(retry)).toMatchObject({ type: PacketType.HELLO_RETRY, seq: 0 });
    expect(frame.bytes).toHaveLength(50);
    expect(acknowledgement.length + retry.length).toBe(35);
  });

  it('gets the same cookie however often it is repeated: nothing is stored for it', () => {
    const { gate, cookie } = gateWithCookie();

    expect(cookieIn(gate.judge(hello(IDENTITY), FROM, 29_999))).toEqual(cookie);
  });

  it('is limited per address; other addresses have limits of their own, an IPv6 /64 has one', () => {
    const gate = new CookieGate(nodeCrypto, 2);
    const verdictOf = (address: string, port: number): string =>
      gate.judge(hello(IDENTITY), { address, port }, 0).verdict;

    expect([1, 2, 3].map((port) => verdictOf('192.0.2.1', port))).toEqual(['challenged', 'challenged', 'ignored']);
    expect(verdictOf('192.0.2.2', 1)).toBe('challenged');
    expect(['2001:db8::1', '2001:db8::2', '2001:db8::3'].map((address) => verdictOf(address, 1))).toEqual([
      'challenged',
      'challenged',
      'ignored',
    ]);
  });
});

describe('a HELLO with a cookie', () => {
  it('is proven from the same address and port, with the same device id and client key', () => {
    const { gate, cookie } = gateWithCookie();

    expect(gate.judge(hello(concatBytes(IDENTITY, cookie), 1), FROM, 100)).toEqual({ verdict: 'proven' });
  });

  it.each([
    ['another address', IDENTITY, { ...FROM, address: '192.0.2.2' }],
    ['another port', IDENTITY, { ...FROM, port: 5_001 }],
    ['another device id', concatBytes(pattern(6, 2), IDENTITY.subarray(6)), FROM],
    ['another client key', concatBytes(IDENTITY.subarray(0, 6), pattern(32, 9)), FROM],
  ])('is ignored from %s', (_name, identity, from) => {
    const { gate, cookie } = gateWithCookie();

    expect(gate.judge(hello(concatBytes(identity, cookie), 1), from, 100)).toEqual({
      verdict: 'ignored',
      reason: 'cookie',
    });
  });

  it('is proven in the time bucket of 30 s and in the one after, and never later', () => {
    const { gate, cookie } = gateWithCookie(29_000);
    const again = hello(concatBytes(IDENTITY, cookie), 1);

    expect(gate.judge(again, FROM, 59_999).verdict).toBe('proven');
    expect(gate.judge(again, FROM, 60_000).verdict).toBe('ignored');
  });
});

it.each([0, 37, 39, 53, 55, 480])('a HELLO of %d bytes, neither 38 nor 54, is ignored without a word', (bytes) => {
  expect(new CookieGate(nodeCrypto, 10).judge(hello(pattern(bytes, 1)), FROM, 0)).toEqual({
    verdict: 'ignored',
    reason: 'malformed',
  });
});
