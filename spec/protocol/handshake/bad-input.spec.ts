import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  CLIENT_TRANSITIONS,
  encodeFrame,
  PacketType,
  SERVER_TRANSITIONS,
  stepClientHandshake,
  stepServerHandshake,
  UsmpError,
  type HandshakeOutput,
  type TransitionTable,
} from '../../../src/protocol/index.js';
import { frame } from '../arbitraries.js';
import { anyCrypto, PROVIDERS } from '../providers.js';
import { frameInput, rehearse } from './rehearsal.js';

const { client, server, frames } = rehearse();

/** Frames of the handshake's own types and lengths with random contents, which get the furthest; and any others. */
const plausible = fc.oneof(
  ...(
    [
      [PacketType.HELLO, 38],
      [PacketType.HELLO, 54],
      [PacketType.CHALLENGE, 64],
      [PacketType.HELLO_ACK, 32],
      [PacketType.SESSION_OK, 48],
    ] as const
  ).map(([type, length]) =>
    fc.uint8Array({ minLength: length, maxLength: length }).map((payload) => frameInput(encodeFrame(type, 0, payload))),
  ),
);
const peerInput = fc.oneof(
  { weight: 3, arbitrary: plausible },
  { weight: 2, arbitrary: frame.map((any) => ({ kind: 'frame', frame: any }) as const) },
  { weight: 1, arbitrary: fc.constantFrom(...Object.values(frames)).map(frameInput) },
  { weight: 1, arbitrary: fc.constantFrom({ kind: 'end' } as const, { kind: 'timeout' } as const) },
);

/** What must hold for every step: it goes where the table says, or stays, or fails and says so once. */
function expectLawful(table: TransitionTable, from: string, to: string, outputs: readonly HandshakeOutput[]): void {
  const failures = outputs.filter((output) => output.kind === 'failed');
  if (to === 'Failed' && from !== 'Failed') {
    expect(outputs).toHaveLength(1);
    expect(failures[0]?.error).toBeInstanceOf(UsmpError);
    return;
  }
  expect(failures).toEqual([]);
  expect([from, ...Object.values(table[from] ?? {})]).toContain(to);
}

describe.each(PROVIDERS)('whatever a peer sends, with the provider %s', (_provider, crypto) => {
  it('a server goes by its table or fails with a UsmpError, and never throws', () => {
    const start = fc.constantFrom(...Object.values(server));
    fc.assert(
      fc.property(start, fc.array(peerInput, { maxLength: 6 }), (state, inputs) => {
        for (const input of inputs) {
          const next = stepServerHandshake(state, input, crypto);
          expectLawful(SERVER_TRANSITIONS, state.name, next.state.name, next.outputs);
          state = next.state;
        }
      }),
    );
  });

  it('a client goes by its table or fails with a UsmpError, and never throws', () => {
    const start = fc
      .constantFrom(...Object.values(rehearse({ clientCrypto: crypto }).client))
      .filter(({ name }) => name !== 'Start');
    fc.assert(
      fc.property(start, fc.array(peerInput, { maxLength: 6 }), (state, inputs) => {
        for (const input of inputs) {
          const next = stepClientHandshake(state, input, crypto);
          expectLawful(CLIENT_TRANSITIONS, state.name, next.state.name, next.outputs);
          state = next.state;
        }
      }),
    );
  });

  it('any 32 bytes as a public key come to a challenge, or to a CryptoError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 38, maxLength: 38 }), (payload) => {
        const hello = frameInput(encodeFrame(PacketType.HELLO, 0, payload));
        const { state } = stepServerHandshake(server.ExpectHello, hello, crypto);
        const { outputs } = stepServerHandshake(state, { kind: 'psks', psks: [] }, crypto);
        const [output] = outputs;
        if (output?.kind === 'failed') expect(output.error.code).toBe('CRYPTO_LOW_ORDER_POINT');
        else expect(output?.kind).toBe('send');
      }),
    );
  });
});

describe('a mistake of the crypto provider', () => {
  it('is no failure of the handshake: it is thrown', () => {
    const broken = {
      ...anyCrypto,
      generateKeyPair: () => ({
        publicKey: new Uint8Array(32),
        agree: () => {
          throw new TypeError('broken provider');
        },
      }),
    };
    expect(() => stepServerHandshake(server.AwaitPsk, { kind: 'psks', psks: [] }, broken)).toThrow(TypeError);
  });
});

describe('a step', () => {
  it('changes no state: taken again from the same one it does the same', () => {
    const input = frameInput(frames.SESSION_OK);
    const wrong = frameInput(encodeFrame(PacketType.SESSION_OK, 0, new Uint8Array(48)));
    const steps = [input, wrong, input].map((next) => stepClientHandshake(client.ExpectSessionOk, next, anyCrypto));
    expect(steps.map(({ state }) => state.name)).toEqual(['Established', 'Failed', 'Established']);
  });
});
