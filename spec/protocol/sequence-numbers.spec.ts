import { describe, expect, it } from '@jest/globals';
import { decodeFrame, encodeFrame, FrameSealer, PacketType } from '../../src/protocol/index.js';
import { failureOf } from '../crypto/failure-of.js';
import {
  channelPair,
  CLIENT_TO_SERVER_KEY,
  clientSealer,
  framesOf,
  open,
  pattern,
  sealControl,
  sealMessage,
  sealRekey,
  serverOpener,
  SESSION_ID,
  sealWith,
} from './pair.js';
import { anyCrypto } from './providers.js';

const NOTHING = new Uint8Array(0);

describe('sequence numbers', () => {
  it('start at 0 in each direction and count one per frame of any type', () => {
    const { client, server } = channelPair();
    const sealed = Uint8Array.of(
      ...sealMessage(client, pattern(1808, 1)),
      ...sealControl(client, PacketType.PING),
      ...sealMessage(client, NOTHING),
      ...sealRekey(client),
    );
    expect(framesOf(sealed).map(({ seq }) => seq)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(decodeFrame(sealControl(server, PacketType.PONG)).seq).toBe(0);
  });

  it('start again at 0 in both directions with new keys', () => {
    const { client, server } = channelPair();
    open(server, sealMessage(client, NOTHING));
    open(client, sealMessage(server, NOTHING));
    open(server, sealRekey(client));
    expect(decodeFrame(sealMessage(client, NOTHING)).seq).toBe(0);
    expect(decodeFrame(sealMessage(server, NOTHING)).seq).toBe(0);
  });

  it('are demanded to be exactly the next: repeated, skipped and earlier ones are refused and change nothing', () => {
    const { client, server } = channelPair();
    const sealed = Array.from({ length: 5 }, (_, i) => sealMessage(client, Uint8Array.of(i)));
    open(server, sealed[0]!);
    open(server, sealed[1]!);
    for (const wrong of [0, 1, 3, 4]) {
      expect(failureOf(() => open(server, sealed[wrong]!))).toBe('SequenceError SEQ_UNEXPECTED remote');
    }
    for (const next of [2, 3, 4]) expect(open(server, sealed[next]!).plaintext).toEqual(Uint8Array.of(next));
  });

  it('must start with 0', () => {
    const { client, server } = channelPair();
    sealMessage(client, NOTHING);
    expect(failureOf(() => open(server, sealMessage(client, NOTHING)))).toBe('SequenceError SEQ_UNEXPECTED remote');
  });

  it('count as 32 bits without a sign', () => {
    for (const seq of [0x7fff_ffff, 0x8000_0000, 0xffff_fffd]) {
      const sealer = clientSealer(seq);
      const opener = serverOpener(seq);
      expect(opener.open(decodeFrame(sealWith(sealer, PacketType.DATA, Uint8Array.of(1))))).toEqual(Uint8Array.of(1));
      expect(opener.open(decodeFrame(sealWith(sealer, PacketType.DATA, Uint8Array.of(2))))).toEqual(Uint8Array.of(2));
      expect([sealer.nextSeq, opener.expectedSeq]).toEqual([seq + 2, seq + 2]);
    }
  });

  it('end at 0xFFFFFFFE: 0xFFFFFFFF is never sent', () => {
    const sealer = clientSealer(0xffff_fffe);
    expect(decodeFrame(sealWith(sealer, PacketType.DATA, NOTHING)).seq).toBe(0xffff_fffe);
    for (let i = 0; i < 3; i++) {
      expect(failureOf(() => sealWith(sealer, PacketType.DATA, NOTHING))).toBe('SequenceError SEQ_EXHAUSTED local');
    }
    expect(sealer.nextSeq).toBe(0xffff_ffff);
  });

  it('end at 0xFFFFFFFE: 0xFFFFFFFF is never accepted', () => {
    const opener = serverOpener(0xffff_fffe);
    const last = sealWith(clientSealer(0xffff_fffe), PacketType.DATA, NOTHING);
    expect(opener.open(decodeFrame(last))).toEqual(NOTHING);
    for (const seq of [0xffff_ffff, 0]) {
      const frame = decodeFrame(encodeFrame(PacketType.DATA, seq, decodeFrame(last).payload));
      expect(failureOf(() => opener.open(frame))).toBe('SequenceError SEQ_EXHAUSTED remote');
    }
  });

  it('are spent even where sealing fails', () => {
    let isBroken = true;
    const aead = anyCrypto.aead('aes-256-gcm', CLIENT_TO_SERVER_KEY);
    const sealer = new FrameSealer(
      {
        open: (...sealed) => aead.open(...sealed),
        wipe: () => aead.wipe(),
        seal(...plain) {
          if (isBroken) throw new Error('broken');
          aead.seal(...plain);
        },
      },
      SESSION_ID,
    );
    expect(() => sealWith(sealer, PacketType.DATA, NOTHING)).toThrow('broken');
    isBroken = false;
    expect(decodeFrame(sealWith(sealer, PacketType.DATA, NOTHING)).seq).toBe(1);
  });

  it('tell how many frames the present keys have seen, in the busier direction', () => {
    const { client, server } = channelPair();
    for (let i = 0; i < 3; i++) open(server, sealMessage(client, NOTHING));
    open(client, sealMessage(server, NOTHING));
    expect([client.framesUnderKeys, server.framesUnderKeys]).toEqual([3, 3]);
    open(server, sealRekey(client));
    expect(server.framesUnderKeys).toBe(0);
  });
});
