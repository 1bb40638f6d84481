import { describe, expect, it } from '@jest/globals';
import {
  encodeFrame,
  MAX_MESSAGE_BYTES,
  PacketType,
  packetTypeName,
  sealAcknowledgement,
  toHex,
  type ControlType,
  type SealedType,
} from '../../../src/protocol/index.js';
import { failureOf } from '../../crypto/failure-of.js';
import { CLIENT_TO_SERVER_KEY, clientSealer, framesOf, pattern, sealWith, SERVER_TO_CLIENT_KEY } from '../pair.js';
import { anyCrypto, PROVIDERS_AND_SUITES } from '../providers.js';
import {
  acknowledgementOf,
  datagramPair,
  fateOf,
  open,
  peerOf,
  ROLES,
  sealOne,
  stateOf,
  take,
} from './datagram-pair.js';

const CONTROL: readonly ControlType[] = [PacketType.PING, PacketType.PONG, PacketType.BYE];
const SENDING_KEYS = { client: CLIENT_TO_SERVER_KEY, server: SERVER_TO_CLIENT_KEY };
const namesOf = (types: readonly (typeof CONTROL)[number][]): [string, ControlType][] =>
  types.map((type) => [packetTypeName(type), type]);

describe.each(PROVIDERS_AND_SUITES)('with %s and %s', (_provider, suite, crypto) => {
  it.each(ROLES)('what the %s seals is sealed as on a byte stream, and opens at the other side', (role) => {
    const pair = datagramPair(crypto, suite);
    for (const [seq, bytes] of [0, 1, 452].entries()) {
      const { datagram } = sealOne(pair[role], pattern(bytes, seq));
      if (role === 'client') {
        expect(datagram).toEqual(sealWith(clientSealer(seq, suite, crypto), PacketType.DATA, pattern(bytes, seq)));
      }
      expect(take(pair[peerOf(role)], datagram)).toEqual({
        type: PacketType.DATA,
        plaintext: pattern(bytes, seq),
        inSequence: true,
        rekeyedBy: [],
      });
    }
  });

  it.each(ROLES)('the %s expects the acknowledgement that the other side gives: 15 bytes', (role) => {
    const pair = datagramPair(crypto, suite);
    const sealed = [...pair[role].sealMessage(pattern(900, 1)), ...CONTROL.map((type) => pair[role].sealControl(type))];
    for (const { datagram, acknowledgements } of sealed) {
      const acknowledgement = acknowledgementOf(pair[peerOf(role)], datagram)!;
      expect(acknowledgement).toHaveLength(15);
      expect(acknowledgements).toEqual([acknowledgement]);
    }
  });
});

describe('sealing', () => {
  it.each([
    [0, ['DATA 0']],
    [452, ['DATA 0']],
    [453, ['DATA_FRAG 0', 'DATA 1']],
    [904, ['DATA_FRAG 0', 'DATA 1']],
    [905, ['DATA_FRAG 0', 'DATA_FRAG 1', 'DATA 2']],
    [MAX_MESSAGE_BYTES, ['DATA_FRAG 0', 'DATA_FRAG 1', 'DATA_FRAG 2', 'DATA 3']],
  ])('%i bytes are these frames, one a datagram, with consecutive numbers', (bytes, expected) => {
    const { client, server } = datagramPair();
    const sealed = client.sealMessage(pattern(bytes, 1));
    const frames = sealed.flatMap(({ datagram }) => framesOf(datagram));
    expect(frames.map(({ type, seq }) => `${packetTypeName(type)} ${seq}`)).toEqual(expected);
    const joined = sealed.flatMap(({ datagram }) => [...take(server, datagram).plaintext]);
    expect(Uint8Array.from(joined)).toEqual(pattern(bytes, 1));
  });

  it('refuses more than 1808 bytes before it seals anything', () => {
    const { client, server } = datagramPair();
    expect(failureOf(() => client.sealMessage(new Uint8Array(MAX_MESSAGE_BYTES + 1)))).toBe(
      'PayloadError PAYLOAD_TOO_LARGE local',
    );
    expect(client.framesUnderKeys).toBe(0);
    expect(take(server, sealOne(client).datagram).inSequence).toBe(true);
  });

  it('spends one number a frame of any type, REKEY included', () => {
    const { client } = datagramPair();
    const sealed = [
      ...client.sealMessage(pattern(1_000, 1)),
      client.sealControl(PacketType.PING),
      client.sealControl(PacketType.PONG),
      sealOne(client),
      client.sealRekey(),
    ];
    expect(sealed.map(({ datagram }) => framesOf(datagram)[0]!.seq)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(client.framesUnderKeys).toBe(7);
  });

  it.each(namesOf(CONTROL))('%s has an empty plaintext and is 40 bytes', (_name, type) => {
    const { client, server } = datagramPair();
    const { datagram } = client.sealControl(type);
    expect(datagram).toHaveLength(40);
    expect(take(server, datagram)).toEqual({
      type,
      plaintext: new Uint8Array(0),
      inSequence: true,
      rekeyedBy: [],
    });
  });
});

describe('an acknowledgement', () => {
  it('is of the frame: its type, its number and the key that it was sealed with', () => {
    const { client, server } = datagramPair();
    sealOne(client);
    const { datagram } = client.sealControl(PacketType.PING);
    expect(acknowledgementOf(server, datagram)).toEqual(
      sealAcknowledgement(anyCrypto, CLIENT_TO_SERVER_KEY, PacketType.PING, 1),
    );
  });

  it.each(ROLES)('is expected by the %s for this frame and no other', (role) => {
    const pair = datagramPair();
    const sealed = [sealOne(pair[role]), sealOne(pair[role]), pair[role].sealControl(PacketType.PING)];
    expect(sealed.map(({ acknowledgements }) => acknowledgements.length)).toEqual([1, 1, 1]);
    const expected = sealed.map(({ acknowledgements }) => toHex(acknowledgements[0]!));
    expect(new Set(expected).size).toBe(3);
    expect(expected[2]).toBe(toHex(sealAcknowledgement(anyCrypto, SENDING_KEYS[role], PacketType.PING, 2)));
  });

  it('comes again for a frame that comes again, which is not delivered again', () => {
    const { client, server } = datagramPair();
    const sealed = [...client.sealMessage(pattern(500, 1)), client.sealControl(PacketType.BYE)];
    for (const { datagram } of sealed) take(server, datagram);
    for (const { datagram, acknowledgements } of [...sealed, ...sealed]) {
      expect(open(server, datagram)).toEqual({ outcome: 'repeated', acknowledgement: acknowledgements[0] });
    }
  });

  it('is not given for a frame that can not be taken now; it is fresh when it is repeated', () => {
    const { client, server } = datagramPair();
    const { datagram, acknowledgements } = sealOne(client, pattern(5, 1));
    const before = stateOf(server);
    for (let i = 0; i < 3; i++) expect(open(server, datagram, () => false)).toEqual({ outcome: 'refused' });
    expect(stateOf(server)).toEqual(before);
    expect(open(server, datagram)).toEqual({
      outcome: 'taken',
      frame: { type: PacketType.DATA, plaintext: pattern(5, 1), inSequence: true, rekeyedBy: [] },
      acknowledgement: acknowledgements[0],
    });
  });

  it('is given for what was taken before even while nothing can be taken', () => {
    const { client, server } = datagramPair();
    const { datagram, acknowledgements } = sealOne(client);
    take(server, datagram);
    expect(open(server, datagram, () => false)).toEqual({
      outcome: 'repeated',
      acknowledgement: acknowledgements[0],
    });
  });
});

describe('what can be taken', () => {
  it('is asked once, by type, and only of frames that are authentic and fresh', () => {
    const { client, server } = datagramPair();
    const asked: SealedType[] = [];
    const admits = (type: SealedType): boolean => asked.push(type) > 0;
    const sealed = [...client.sealMessage(pattern(500, 1)), client.sealControl(PacketType.PING), client.sealRekey()];
    for (const { datagram } of sealed) {
      open(server, forged(datagram), admits);
      open(server, datagram, admits);
      open(server, datagram, admits);
    }
    expect(asked).toEqual([PacketType.DATA_FRAG, PacketType.DATA, PacketType.PING, PacketType.REKEY]);
  });

  /** The same frame with another tag and a right CRC. */
  function forged(datagram: Uint8Array): Uint8Array {
    const payload = datagram.slice(12);
    payload[payload.length - 1]! ^= 1;
    const [frame] = framesOf(datagram);
    return encodeFrame(frame!.type, frame!.seq, payload);
  }
});

describe('what has no place in a session', () => {
  it('is dropped: handshake frames and HELLO_RETRY', () => {
    const { server } = datagramPair();
    for (const type of [1, 2, 3, 4, PacketType.HELLO_RETRY] as const) {
      expect(fateOf(server, encodeFrame(type, 0, pattern(54, 1)))).toBe('unexpected-frame');
    }
  });

  it('is dropped: ERROR, which is unauthenticated and never touches an established session', () => {
    const { client, server } = datagramPair();
    const before = stateOf(server);
    expect(fateOf(server, encodeFrame(PacketType.ERROR, 0, Uint8Array.of(2, 0, 0)))).toBe('error-frame');
    expect(stateOf(server)).toEqual(before);
    expect(take(server, sealOne(client).datagram).inSequence).toBe(true);
  });

  it.each([
    ...namesOf(CONTROL).map(([name, type]) => [name, type, 1] as const),
    ['REKEY', PacketType.REKEY, 31] as const,
  ])('is dropped without an acknowledgement: %s with a plaintext of a wrong length', (_name, type, bytes) => {
    const { client, server } = datagramPair();
    const before = stateOf(server);
    expect(fateOf(server, sealWith(clientSealer(0), type, pattern(bytes, 1)))).toBe('control-plaintext');
    expect(stateOf(server)).toEqual(before);
    expect(take(server, sealOne(client).datagram).inSequence).toBe(true);
  });
});

describe('frames under the present keys', () => {
  it('are counted in both directions, and the more of them tell', () => {
    const { client, server } = datagramPair();
    for (let i = 0; i < 3; i++) take(server, sealOne(client).datagram);
    take(client, sealOne(server).datagram);
    expect([client.framesUnderKeys, server.framesUnderKeys]).toEqual([3, 3]);
    for (let i = 0; i < 4; i++) take(client, sealOne(server).datagram);
    expect([client.framesUnderKeys, server.framesUnderKeys]).toEqual([5, 5]);
  });
});
