import { describe, expect, it } from '@jest/globals';
import {
  CLIENT_TRANSITIONS,
  COOKIE_BYTES,
  decodeFrame,
  encodeFrame,
  PacketType,
  packetTypeName,
  SERVER_TRANSITIONS,
  stepClientHandshake,
  stepServerHandshake,
  type HandshakeOutput,
  type HandshakeStep,
  type PacketTypeName,
  type TransitionTable,
} from '../../../src/protocol/index.js';
import { ALL_TYPES } from '../arbitraries.js';
import { pattern } from '../pair.js';
import { anyCrypto } from '../providers.js';
import { failureOf } from '../../crypto/failure-of.js';
import { frameInput, PSK, psksInput, rehearse, summaryOf, type HandshakeFrameName } from './rehearsal.js';

const { client, server, frames } = rehearse();

type AnyState = { readonly name: string };
type AnyInput = Parameters<typeof stepClientHandshake>[1] | Parameters<typeof stepServerHandshake>[1];

/** One role's table, the states of a genuine handshake by name, and the step function. */
interface Machine {
  readonly table: TransitionTable;
  readonly states: Readonly<Record<string, AnyState>>;
  readonly step: (state: AnyState, input: AnyInput) => HandshakeStep<AnyState>;
}

const machines: readonly [string, Machine][] = [
  [
    'client',
    {
      table: CLIENT_TRANSITIONS,
      states: client,
      step: (state, input) =>
        stepClientHandshake(
          state as Parameters<typeof stepClientHandshake>[0],
          input as Parameters<typeof stepClientHandshake>[1],
          anyCrypto,
        ),
    },
  ],
  [
    'server',
    {
      table: SERVER_TRANSITIONS,
      states: server,
      step: (state, input) =>
        stepServerHandshake(
          state as Parameters<typeof stepServerHandshake>[0],
          input as Parameters<typeof stepServerHandshake>[1],
          anyCrypto,
        ),
    },
  ],
];

const FINAL = ['Established', 'Failed'];
const OTHER_INPUTS: readonly AnyInput[] = [{ kind: 'start' }, { kind: 'startOnDatagrams' }, psksInput(PSK)];

/** What a genuine peer, or the driver, does to cause this event; any frame of other types. */
function inputFor(event: string): AnyInput {
  const byDriver = OTHER_INPUTS.find(({ kind }) => kind === event);
  if (byDriver) return byDriver;
  const genuine = frames[event as HandshakeFrameName] as Uint8Array | undefined;
  const payloadBytes = event === 'HELLO_RETRY' ? COOKIE_BYTES : 28;
  return frameInput(genuine ?? encodeFrame(PacketType[event as PacketTypeName], 0, pattern(payloadBytes, 1)));
}

describe.each(machines)('the %s handshake', (_role, { table, states, step }) => {
  const stateNames = Object.keys(table);
  const openStates = stateNames.filter((name) => !FINAL.includes(name));
  const framesWithout = (name: string): string[] =>
    ALL_TYPES.map(packetTypeName).filter((type) => type !== 'ERROR' && !(type in (table[name] ?? {})));

  it('has a state of a genuine handshake for every row of its table', () => {
    expect(stateNames.map((name) => states[name]?.name)).toEqual(stateNames);
  });

  const transitions = stateNames.flatMap((from) =>
    Object.entries(table[from] ?? {}).map(([event, to]): [string, string, string] => [from, event, to]),
  );
  it.each(transitions)('goes from %s with %s to %s', (from, event, to) => {
    expect(step(states[from] as AnyState, inputFor(event)).state.name).toBe(to);
  });

  const unexpected = openStates.flatMap((state) => framesWithout(state).map((type): [string, string] => [state, type]));
  it.each(unexpected)('fails where in state %s comes %s', (name, type) => {
    const { state, outputs } = step(states[name] as AnyState, inputFor(type));
    expect(state.name).toBe('Failed');
    expect(summaryOf(outputs)).toBe('failed HandshakeError HANDSHAKE_UNEXPECTED_FRAME remote');
    expect(errorIn(outputs).message).toContain(`${type} in state ${name} of the handshake`);
  });

  it.each(openStates)('in state %s takes ERROR as a remark that changes nothing', (name) => {
    const before = states[name] as AnyState;
    const said = step(before, { kind: 'frame', frame: errorFrame(2, 0x34, 0x12) });
    expect(said.state).toBe(before);
    expect(said.outputs).toEqual([{ kind: 'peerError', code: 2, detail: 0x1234 }]);
    for (const length of [0, 1, 2, 4, 480]) {
      const odd = step(before, { kind: 'frame', frame: errorFrame(...pattern(length, 1)) });
      expect(odd.state).toBe(before);
      expect(odd.outputs).toEqual([]);
    }
  });

  it.each(openStates)('in state %s fails when its time is over', (name) => {
    const { state, outputs } = step(states[name] as AnyState, { kind: 'timeout' });
    expect(state.name).toBe('Failed');
    expect(summaryOf(outputs)).toBe('failed TimeoutError TIMEOUT_HANDSHAKE remote');
    expect(errorIn(outputs).message).toContain(name);
  });

  it.each(openStates)('in state %s fails when the byte stream breaks, with the cause', (name) => {
    const cause = new Error('ECONNRESET');
    const { state, outputs } = step(states[name] as AnyState, { kind: 'end', cause });
    expect(state.name).toBe('Failed');
    expect(summaryOf(outputs)).toBe('failed HandshakeError HANDSHAKE_INTERRUPTED remote');
    expect(errorIn(outputs).cause).toBe(cause);
  });

  it.each(openStates.filter((name) => name !== 'ExpectSessionOk'))(
    'in state %s fails when the byte stream ends',
    (name) => {
      const { outputs } = step(states[name] as AnyState, { kind: 'end' });
      expect(summaryOf(outputs)).toBe('failed HandshakeError HANDSHAKE_INTERRUPTED remote');
    },
  );

  it.each(FINAL)('stays %s whatever comes', (name) => {
    const final = states[name] as AnyState;
    const everything = [
      ...ALL_TYPES.map((type) => inputFor(packetTypeName(type))),
      ...OTHER_INPUTS,
      { kind: 'end' } as const,
      { kind: 'timeout' } as const,
    ];
    for (const input of everything) {
      const { state, outputs } = step(final, input);
      expect(state).toBe(final);
      expect(outputs).toEqual([]);
    }
  });

  it('tells its driver of an input that it did not ask for', () => {
    for (const name of openStates) {
      for (const input of OTHER_INPUTS.filter(({ kind }) => !(kind in (table[name] ?? {})))) {
        expect(failureOf(() => step(states[name] as AnyState, input))).toBe('InvalidStateError WRONG_STATE local');
      }
    }
  });

  it('fails with the error that its final state holds', () => {
    const { state, outputs } = step(states[openStates[0] as string] as AnyState, { kind: 'timeout' });
    expect(state).toEqual({ name: 'Failed', error: errorIn(outputs) });
  });
});

describe('an orderly end in answer to the proof', () => {
  it('is how a server refuses a client, so it is an AuthError', () => {
    const { outputs } = stepClientHandshake(client.ExpectSessionOk, { kind: 'end' }, anyCrypto);
    expect(summaryOf(outputs)).toBe('failed AuthError AUTH_REJECTED remote');
  });
});

const errorFrame = (...payload: readonly number[]) =>
  decodeFrame(encodeFrame(PacketType.ERROR, 0, Uint8Array.from(payload)));

function errorIn(outputs: readonly HandshakeOutput[]): Error {
  const [output] = outputs;
  if (output?.kind !== 'failed') throw new Error(summaryOf(outputs));
  return output.error;
}
