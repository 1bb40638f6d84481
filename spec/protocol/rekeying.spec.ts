import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  decodeFrame,
  FrameSealer,
  PacketType,
  SecureChannel,
  toHex,
  type SealedType,
} from '../../src/protocol/index.js';
import { failureOf } from '../crypto/failure-of.js';
import { FieldedPeer } from './fielded-peer.js';
import {
  channelPair,
  clientSealer,
  establishedAs,
  open,
  pattern,
  sealControl,
  sealMessage,
  sealRekey,
  sealWith,
  SESSION_ID,
  type Role,
} from './pair.js';
import { anyCrypto, PROVIDERS_AND_SUITES } from './providers.js';

const ROLES: readonly Role[] = ['client', 'server'];
const peerOf = (role: Role): Role => (role === 'client' ? 'server' : 'client');
const text = (message: string): Uint8Array => new TextEncoder().encode(message);

describe.each(PROVIDERS_AND_SUITES)('with %s and %s', (_provider, suite, crypto) => {
  it.each(ROLES)('a rekeying that the %s starts takes effect with the first frame of each side after it', (role) => {
    const pair = channelPair(crypto, suite);
    const [initiator, responder] = [pair[role], pair[peerOf(role)]];
    expect(open(responder, sealRekey(initiator))).toEqual({
      type: PacketType.REKEY,
      plaintext: new Uint8Array(0),
      rekeyedBy: ['remote'],
    });
    expect([initiator.rekeyPending, responder.rekeyPending]).toEqual([true, false]);
    expect(open(responder, sealMessage(initiator, text('a'))).rekeyedBy).toEqual([]);
    expect(open(initiator, sealMessage(responder, text('b'))).rekeyedBy).toEqual(['local']);
    expect(initiator.rekeyPending).toBe(false);
    expect(open(initiator, sealMessage(responder, text('c'))).rekeyedBy).toEqual([]);
  });
});

describe('until its REKEY is confirmed, the initiator', () => {
  it('opens what the peer sealed under the old key, with the old sequence numbers', () => {
    const { client, server } = channelPair();
    open(client, sealMessage(server, text('0')));
    const inFlight = ['1', '2', '3'].map((message) => sealMessage(server, text(message)));
    open(server, sealRekey(client));
    const underNewKey = sealMessage(server, text('4'));
    for (const sealed of inFlight) expect(open(client, sealed).rekeyedBy).toEqual([]);
    expect(open(client, underNewKey)).toMatchObject({ plaintext: text('4'), rekeyedBy: ['local'] });
  });

  it('opens frame 0 under either key, where nothing was received before', () => {
    for (const isOld of [true, false]) {
      const { client, server } = channelPair();
      const old = sealMessage(server, text('old'));
      open(server, sealRekey(client));
      const next = sealMessage(server, text('new'));
      if (isOld) expect(open(client, old).rekeyedBy).toEqual([]);
      expect(open(client, next)).toMatchObject({ plaintext: text('new'), rekeyedBy: ['local'] });
    }
  });

  it('starts no other one', () => {
    const { client, server } = channelPair();
    const rekey = sealRekey(client);
    expect(failureOf(() => sealRekey(client))).toBe('InvalidStateError WRONG_STATE local');
    open(server, rekey);
    expect(open(server, sealMessage(client, text('still in step'))).plaintext).toEqual(text('still in step'));
    open(client, sealMessage(server, text('confirmed')));
    expect(open(server, sealRekey(client)).rekeyedBy).toEqual(['remote']);
  });

  it('is not confirmed by frames under the old key, nor by forged ones', () => {
    const { client, server } = channelPair();
    sealRekey(client);
    for (let i = 0; i < 5; i++) open(client, sealMessage(server, text('old')));
    const forged = new FrameSealer(anyCrypto.aead('aes-256-gcm', pattern(32, 77)), SESSION_ID);
    expect(failureOf(() => open(client, sealWith(forged, PacketType.DATA, text('x'))))).toBe(
      'CryptoError CRYPTO_TAG remote',
    );
    expect(client.rekeyPending).toBe(true);
    expect(open(client, sealMessage(server, text('old'))).rekeyedBy).toEqual([]);
  });

  it('takes nothing under the old key after the first frame under the new one', () => {
    const { client, server } = channelPair();
    const late = sealMessage(server, text('late'));
    open(server, sealRekey(client));
    const next = ['0', '1'].map((message) => sealMessage(server, text(message)));
    open(client, next[0]!);
    expect(failureOf(() => open(client, late))).toBe('SequenceError SEQ_UNEXPECTED remote');
    expect(open(client, next[1]!).plaintext).toEqual(text('1'));
  });

  it('refuses numbers that neither key expects', () => {
    const { client, server } = channelPair();
    sealRekey(client);
    sealMessage(server, text('lost'));
    expect(failureOf(() => open(client, sealMessage(server, text('1'))))).toBe('SequenceError SEQ_UNEXPECTED remote');
  });
});

describe('a responder', () => {
  it('takes nothing under the old key after REKEY', () => {
    const { client, server } = channelPair();
    const twin = clientSealer(1);
    open(server, sealRekey(client));
    expect(failureOf(() => open(server, sealWith(twin, PacketType.DATA, text('old'))))).toBe(
      'SequenceError SEQ_UNEXPECTED remote',
    );
    expect(failureOf(() => open(server, sealWith(clientSealer(0), PacketType.DATA, text('old'))))).toBe(
      'CryptoError CRYPTO_TAG remote',
    );
  });

  it('may start one at once, and its REKEY confirms that of the peer', () => {
    const { client, server } = channelPair();
    open(server, sealRekey(client));
    expect(open(client, sealRekey(server)).rekeyedBy).toEqual(['local', 'remote']);
    expect(open(server, sealMessage(client, text('a'))).rekeyedBy).toEqual(['local']);
    expect([client.rekeyPending, server.rekeyPending]).toEqual([false, false]);
  });
});

describe('two REKEYs that cross', () => {
  interface Crossed {
    readonly client: SecureChannel;
    readonly server: SecureChannel;
  }

  /** Both have sent REKEY and a message under the keys of their own. */
  function crossing() {
    const { client, server } = channelPair();
    const fromClient = [sealRekey(client), sealMessage(client, text('client'))];
    const fromServer = [sealRekey(server), sealMessage(server, text('server'))];
    return { client, server, fromClient, fromServer };
  }

  function expectClientsKeys({ client, server }: Crossed): void {
    expect([client.rekeyPending, server.rekeyPending]).toEqual([false, false]);
    expect(open(server, sealMessage(client, text('a'))).plaintext).toEqual(text('a'));
    expect(open(client, sealMessage(server, text('b'))).plaintext).toEqual(text('b'));
  }

  it("end in the client's keys; nothing is lost, whoever reads first", () => {
    for (const readers of [ROLES, [...ROLES].reverse()]) {
      const { client, server, fromClient, fromServer } = crossing();
      for (const reader of readers) {
        if (reader === 'client') {
          expect(open(client, fromServer[0]!)).toMatchObject({ type: PacketType.REKEY, rekeyedBy: [] });
          expect(open(client, fromServer[1]!)).toMatchObject({ plaintext: text('server'), rekeyedBy: [] });
        } else {
          expect(open(server, fromClient[0]!)).toMatchObject({ type: PacketType.REKEY, rekeyedBy: ['remote'] });
          expect(open(server, fromClient[1]!)).toMatchObject({ plaintext: text('client'), rekeyedBy: [] });
        }
      }
      expect([client.rekeyPending, server.rekeyPending]).toEqual([true, false]);
      expect(open(client, sealControl(server, PacketType.PONG)).rekeyedBy).toEqual(['local']);
      expectClientsKeys({ client, server });
    }
  });

  it('leave the server free to start another one, which confirms the first', () => {
    const { client, server, fromClient, fromServer } = crossing();
    for (const bytes of fromClient) open(server, bytes);
    const again = sealRekey(server);
    for (const bytes of fromServer) open(client, bytes);
    expect(open(client, again).rekeyedBy).toEqual(['local', 'remote']);
    expect(open(server, sealMessage(client, text('confirmed'))).rekeyedBy).toEqual(['local']);
    expectClientsKeys({ client, server });
  });

  it('do not allow the server a second REKEY under its own keys: that is a SequenceError', () => {
    const peer = new FieldedPeer('server');
    const client = new SecureChannel(anyCrypto, 'aes-256-gcm', establishedAs('client'));
    sealRekey(client);
    client.open(peer.sealRekey());
    const second = peer.sealRekey();
    expect(failureOf(() => client.open(second))).toBe('SequenceError SEQ_UNEXPECTED remote');
  });
});

describe('a peer that switches both keys at once', () => {
  /** What happens next: our side seals, the peer seals, either side reads its next frame. */
  const event = fc.constantFrom('send', 'rekey', 'peer sends', 'peer reads', 'read');

  it.each(ROLES)('loses nothing and breaks nothing when we as %s initiate while it sends at full speed', (role) => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 80, size: 'max' }), (events) => {
        const channel = new SecureChannel(anyCrypto, 'aes-256-gcm', establishedAs(role));
        const peer = new FieldedPeer(peerOf(role));
        const toPeer: Uint8Array[] = [];
        const fromPeer: ReturnType<FieldedPeer['seal']>[] = [];
        const counts = { sent: 0, peerGot: 0, peerSent: 0, got: 0 };
        const readByPeer = (): void => {
          const bytes = toPeer.shift();
          if (!bytes) return;
          const frame = decodeFrame(bytes);
          const plaintext = peer.take(frame);
          if (frame.type === PacketType.DATA) expect(toHex(plaintext)).toBe(toHex(text(`${counts.peerGot++}`)));
          if (frame.type === PacketType.PING) fromPeer.push(peer.seal(PacketType.PONG));
        };
        const read = (): void => {
          const frame = fromPeer.shift();
          if (!frame) return;
          const received = channel.open(frame);
          if (received?.type === PacketType.DATA) expect(received.plaintext).toEqual(text(`${counts.got++}`));
        };
        for (const what of events) {
          if (what === 'send') toPeer.push(sealMessage(channel, text(`${counts.sent++}`)));
          if (what === 'peer sends') fromPeer.push(peer.seal(PacketType.DATA, text(`${counts.peerSent++}`)));
          if (what === 'peer reads') readByPeer();
          if (what === 'read') read();
          if (what === 'rekey' && !channel.rekeyPending) {
            toPeer.push(sealRekey(channel), sealControl(channel, PacketType.PING));
          }
        }
        while (toPeer.length + fromPeer.length > 0) {
          readByPeer();
          read();
        }
        expect([counts.peerGot, counts.got]).toEqual([counts.sent, counts.peerSent]);
        expect(channel.rekeyPending).toBe(false);
      }),
    );
  });

  it.each(ROLES)('is followed when it initiates and nothing of ours as %s is in flight', (role) => {
    const channel = new SecureChannel(anyCrypto, 'aes-256-gcm', establishedAs(role));
    const peer = new FieldedPeer(peerOf(role));
    for (let round = 0; round < 5; round++) {
      expect(channel.open(peer.sealRekey())).toMatchObject({ type: PacketType.REKEY, rekeyedBy: ['remote'] });
      expect(peer.take(decodeFrame(sealMessage(channel, text('ours'))))).toEqual(text('ours'));
      expect(channel.open(peer.seal(PacketType.DATA, text('theirs')))?.plaintext).toEqual(text('theirs'));
    }
  });
});

describe('REKEY of the wrong size', () => {
  it('is refused in every state of rekeying and switches nothing', () => {
    const type: SealedType = PacketType.REKEY;
    const { client } = channelPair();
    sealRekey(client);
    const peer = new FieldedPeer('server');
    expect(failureOf(() => client.open(peer.seal(type, pattern(31, 1))))).toBe('PayloadError PAYLOAD_LENGTH remote');
    expect(client.rekeyPending).toBe(true);
    expect(client.open(peer.seal(PacketType.DATA, text('old key')))?.plaintext).toEqual(text('old key'));
  });
});
