import { describe, expect, it } from '@jest/globals';
import {
  decodeFrame,
  deriveRekeyedKeys,
  FrameSealer,
  PacketType,
  sealAcknowledgement,
  type DirectionKeys,
} from '../../../src/protocol/index.js';
import type { DatagramChannel } from '../../../src/protocol/datagram/datagram-channel.js';
import { failureOf } from '../../crypto/failure-of.js';
import { establishedAs, pattern, sealWith, SESSION_ID, type Role } from '../pair.js';
import { anyCrypto, PROVIDERS_AND_SUITES } from '../providers.js';
import { scriptedCrypto } from '../scripted-crypto.js';
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

const SALT = pattern(32, 9);
const text = (message: string): Uint8Array => new TextEncoder().encode(message);

/** The keys that REKEY with `SALT` of this side makes, as its initiator has them. */
const keysAfterRekeyOf = (role: Role): DirectionKeys =>
  deriveRekeyedKeys(anyCrypto, establishedAs(role).keys, SALT, SESSION_ID);

/** Both ends, and REKEY of one of them. */
function rekeying(role: Role = 'client') {
  const pair = datagramPair(scriptedCrypto(anyCrypto, { randomBytes: [SALT, pattern(32, 10)] }));
  const [initiator, responder] = [pair[role], pair[peerOf(role)]];
  return { initiator, responder, seal: () => initiator.sealRekey() };
}

function expectInStep(one: DatagramChannel, other: DatagramChannel): void {
  expect([one.rekeyPending, other.rekeyPending]).toEqual([false, false]);
  for (const [from, to] of [[one, other] as const, [other, one] as const]) {
    const { datagram, acknowledgements } = sealOne(from, text('in step'));
    expect(open(to, datagram)).toEqual({
      outcome: 'taken',
      frame: { type: PacketType.DATA, plaintext: text('in step'), inSequence: true, rekeyedBy: [] },
      acknowledgement: acknowledgements[0],
    });
  }
}

describe.each(PROVIDERS_AND_SUITES)('with %s and %s', (_provider, suite, crypto) => {
  it.each(ROLES)('a rekeying that the %s starts takes effect with the first frame of each side after it', (role) => {
    const pair = datagramPair(crypto, suite);
    const [initiator, responder] = [pair[role], pair[peerOf(role)]];
    for (let round = 0; round < 3; round++) {
      const rekey = initiator.sealRekey();
      expect(take(responder, rekey.datagram)).toEqual({
        type: PacketType.REKEY,
        plaintext: new Uint8Array(0),
        inSequence: true,
        rekeyedBy: ['remote'],
      });
      initiator.rekeyAcknowledged();
      expect([initiator.rekeyPending, responder.rekeyPending]).toEqual([true, true]);
      expect([initiator.framesUnderKeys, responder.framesUnderKeys]).toEqual([0, 0]);
      expect(take(responder, initiator.sealControl(PacketType.PING).datagram)).toMatchObject({ rekeyedBy: [] });
      expect(responder.rekeyPending).toBe(false);
      expect(take(initiator, responder.sealControl(PacketType.PONG).datagram)).toMatchObject({ rekeyedBy: ['local'] });
      expectInStep(initiator, responder);
    }
  });
});

describe('REKEY', () => {
  it.each(ROLES)('of the %s is sealed under the old key and makes the keys of protocol.md section 6', (role) => {
    const { initiator, responder, seal } = rekeying(role);
    const { datagram } = seal();
    const keys = keysAfterRekeyOf(role);
    expect(decodeFrame(datagram)).toMatchObject({ type: PacketType.REKEY, seq: 0 });
    take(responder, datagram);
    initiator.rekeyAcknowledged();
    const ping = initiator.sealControl(PacketType.PING);
    expect(ping.acknowledgements).toEqual([sealAcknowledgement(anyCrypto, keys.sending.expose(), PacketType.PING, 0)]);
    expect(acknowledgementOf(responder, ping.datagram)).toEqual(ping.acknowledgements[0]);
    const pong = responder.sealControl(PacketType.PONG);
    expect(pong.acknowledgements).toEqual([
      sealAcknowledgement(anyCrypto, keys.receiving.expose(), PacketType.PONG, 0),
    ]);
  });

  it.each(ROLES)('of the %s may be acknowledged under either key, and anything else only under its own', (role) => {
    const { initiator, seal } = rekeying(role);
    const [data, ping] = [sealOne(initiator), initiator.sealControl(PacketType.PING)];
    const rekey = seal();
    const [old, next] = [establishedAs(role).keys, keysAfterRekeyOf(role)].map(({ sending }) => sending.expose());
    expect(rekey.acknowledgements).toEqual([
      sealAcknowledgement(anyCrypto, old!, PacketType.REKEY, 2),
      sealAcknowledgement(anyCrypto, next!, PacketType.REKEY, 2),
    ]);
    expect(data.acknowledgements).toEqual([sealAcknowledgement(anyCrypto, old!, PacketType.DATA, 0)]);
    expect(ping.acknowledgements).toEqual([sealAcknowledgement(anyCrypto, old!, PacketType.PING, 1)]);
  });

  it('that comes again after we switched is acknowledged under the old key, until the peer has switched', () => {
    const { initiator, responder, seal } = rekeying();
    const { datagram, acknowledgements } = seal();
    take(responder, datagram);
    const first = sealOne(responder, text('under the new key'));
    for (let i = 0; i < 3; i++) {
      expect(open(responder, datagram)).toEqual({ outcome: 'repeated', acknowledgement: acknowledgements[0] });
    }
    expect(take(initiator, first.datagram).rekeyedBy).toEqual(['local']);
    take(responder, sealOne(initiator).datagram);
    expect(fateOf(responder, datagram)).toBe('not-authentic');
    expectInStep(initiator, responder);
  });

  it('that can not be taken now moves nothing', () => {
    const { initiator, responder, seal } = rekeying();
    const { datagram } = seal();
    const before = stateOf(responder);
    expect(open(responder, datagram, () => false)).toEqual({ outcome: 'refused' });
    expect(stateOf(responder)).toEqual(before);
    expect(take(initiator, sealOne(responder, text('old key')).datagram)).toMatchObject({ rekeyedBy: [] });
    expect(take(responder, datagram).rekeyedBy).toEqual(['remote']);
  });

  it('is followed by nothing under the old key that its sender seals, and by nothing at all until it has arrived', () => {
    const { initiator, seal } = rekeying();
    seal();
    expect(initiator.rekeyOutstanding).toBe(true);
    for (const sealMore of [
      () => initiator.sealMessage(text('x')),
      () => initiator.sealControl(PacketType.PONG),
      () => initiator.sealRekey(),
    ]) {
      expect(failureOf(sealMore)).toBe('InvalidStateError WRONG_STATE local');
    }
    initiator.rekeyAcknowledged();
    expect(initiator.rekeyOutstanding).toBe(false);
    expect(decodeFrame(sealOne(initiator).datagram).seq).toBe(0);
  });

  it('of neither side is sealed while a rekeying waits for its confirmation', () => {
    const { initiator, responder, seal } = rekeying();
    take(responder, seal().datagram);
    expect(failureOf(() => responder.sealRekey())).toBe('InvalidStateError WRONG_STATE local');
    initiator.rekeyAcknowledged();
    expect(failureOf(() => initiator.sealRekey())).toBe('InvalidStateError WRONG_STATE local');
    take(responder, sealOne(initiator).datagram);
    expect(take(initiator, responder.sealRekey().datagram).rekeyedBy).toEqual(['local', 'remote']);
  });
});

describe('the initiator', () => {
  it('takes an acknowledgement that comes twice, or without a REKEY, for nothing', () => {
    const { initiator, responder, seal } = rekeying();
    initiator.rekeyAcknowledged();
    expectInStep(initiator, responder);
    take(responder, seal().datagram);
    initiator.rekeyAcknowledged();
    const ping = initiator.sealControl(PacketType.PING);
    initiator.rekeyAcknowledged();
    expect(decodeFrame(sealOne(initiator).datagram).seq).toBe(1);
    take(responder, ping.datagram);
    expect(take(initiator, sealOne(responder).datagram).rekeyedBy).toEqual(['local']);
  });

  it('takes a frame under the new keys for the acknowledgement of REKEY, which may have been lost', () => {
    const { initiator, responder, seal } = rekeying();
    take(responder, seal().datagram);
    expect(take(initiator, sealOne(responder, text('new')).datagram)).toEqual({
      type: PacketType.DATA,
      plaintext: text('new'),
      inSequence: true,
      rekeyedBy: ['local'],
    });
    expect(stateOf(initiator)).toEqual({ rekeyPending: false, rekeyOutstanding: false, framesUnderKeys: 1 });
    take(responder, sealOne(initiator).datagram);
    expectInStep(initiator, responder);
  });

  it('is moved by no frame under the new keys that it does not take', () => {
    const { initiator, responder, seal } = rekeying();
    take(responder, seal().datagram);
    const { datagram } = sealOne(responder, text('new'));
    const before = stateOf(initiator);
    expect(open(initiator, datagram, () => false)).toEqual({ outcome: 'refused' });
    expect(stateOf(initiator)).toEqual(before);
    const sealer = new FrameSealer(
      anyCrypto.aead('aes-256-gcm', keysAfterRekeyOf('client').receiving.expose()),
      SESSION_ID,
    );
    expect(fateOf(initiator, sealWith(sealer, PacketType.PONG, text('x')))).toBe('control-plaintext');
    expect(stateOf(initiator)).toEqual(before);
    expect(take(initiator, datagram)).toMatchObject({ inSequence: true, rekeyedBy: ['local'] });
  });

  it.each([false, true])(
    'takes what the peer had in flight under the old keys, with the old numbers, until the first frame under the new ones (REKEY acknowledged: %s)',
    (acknowledged) => {
      const { initiator, responder, seal } = rekeying();
      take(initiator, sealOne(responder, text('0')).datagram);
      const [message, late] = [responder.sealMessage(pattern(1_300, 1)), sealOne(responder, text('late'))];
      take(responder, seal().datagram);
      if (acknowledged) initiator.rekeyAcknowledged();
      for (const { datagram, acknowledgements } of message) {
        expect(open(initiator, datagram, () => false)).toEqual({ outcome: 'refused' });
        expect(open(initiator, datagram)).toMatchObject({
          outcome: 'taken',
          frame: { inSequence: true, rekeyedBy: [] },
          acknowledgement: acknowledgements[0],
        });
        expect(open(initiator, datagram)).toEqual({ outcome: 'repeated', acknowledgement: acknowledgements[0] });
      }
      expect(initiator.rekeyPending).toBe(true);
      expect(take(initiator, sealOne(responder, text('new')).datagram).rekeyedBy).toEqual(['local']);
      for (const { datagram } of [...message, late]) expect(fateOf(initiator, datagram)).toBe('not-authentic');
    },
  );

  it('keeps the window of the old keys: what is too old under them stays so', () => {
    const { initiator, responder, seal } = rekeying();
    const [oldest, ...others] = Array.from({ length: 66 }, () => sealOne(responder));
    for (const { datagram } of others) take(initiator, datagram);
    seal();
    initiator.rekeyAcknowledged();
    expect(fateOf(initiator, oldest!.datagram)).toBe('not-authentic');
    expect(fateOf(initiator, others[64]!.datagram)).toBe('repeated');
    expect(initiator.rekeyPending).toBe(true);
  });
});

describe('the responder', () => {
  it('seals under the new keys at once, and a message that it had begun stays under the old ones', () => {
    const { initiator, responder, seal } = rekeying();
    const begun = responder.sealMessage(pattern(1_808, 1));
    take(responder, seal().datagram);
    expect(begun.map(({ datagram }) => decodeFrame(datagram).seq)).toEqual([0, 1, 2, 3]);
    expect(decodeFrame(sealOne(responder).datagram).seq).toBe(0);
    initiator.rekeyAcknowledged();
    for (const { datagram } of begun) expect(take(initiator, datagram).inSequence).toBe(true);
  });

  it('takes nothing new under the old keys, since REKEY is the last frame under them', () => {
    const { initiator, responder, seal } = rekeying();
    const lost = sealOne(initiator, text('lost'));
    take(responder, seal().datagram);
    expect(fateOf(responder, lost.datagram)).toBe('replaced-keys');
    expect(responder.rekeyPending).toBe(true);
  });

  it('acknowledges what it took before REKEY under the old key still', () => {
    const { initiator, responder, seal } = rekeying();
    const { datagram, acknowledgements } = sealOne(initiator);
    take(responder, datagram);
    take(responder, seal().datagram);
    expect(open(responder, datagram)).toEqual({ outcome: 'repeated', acknowledgement: acknowledgements[0] });
  });

  it('follows a peer that starts another one with its first frame under the new keys', () => {
    const { initiator, responder, seal } = rekeying();
    take(responder, seal().datagram);
    take(initiator, sealOne(responder).datagram);
    const again = initiator.sealRekey();
    expect(take(responder, again.datagram)).toMatchObject({ rekeyedBy: ['remote'], inSequence: true });
    expect(open(responder, again.datagram)).toEqual({
      outcome: 'repeated',
      acknowledgement: again.acknowledgements[0],
    });
    take(initiator, sealOne(responder).datagram);
    take(responder, sealOne(initiator).datagram);
    expectInStep(initiator, responder);
  });
});
