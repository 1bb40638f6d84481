import { describe, expect, it } from '@jest/globals';
import {
  crc16,
  decodeFrame,
  encodeFrame,
  FrameOpener,
  FrameSealer,
  HEADER_BYTES,
  NONCE_BYTES,
  PROTOCOL_VERSION,
  toHex,
  type PacketType,
  type SealedType,
} from '../../src/protocol/index.js';
import { nonceFor } from '../../src/protocol/sealed-frame.js';
import { describeVectors, fromHex } from '../vectors.js';
import { sealWith } from './pair.js';
import { PROVIDERS } from './providers.js';

interface Golden {
  readonly crc_cases: readonly { readonly input: string; readonly expected_crc: string }[];
  readonly aad_cases: readonly {
    readonly magic: number;
    readonly version: number;
    readonly type: PacketType;
    readonly seq: number;
    readonly length: number;
    readonly expected_aad: string;
  }[];
  readonly nonce_cases: readonly {
    readonly seq: number;
    readonly session_id: string;
    readonly expected_nonce: string;
  }[];
  readonly encryption_cases: readonly {
    readonly key: string;
    readonly session_id: string;
    readonly seq: number;
    readonly type: SealedType;
    readonly plaintext: string;
    readonly expected_nonce: string;
    readonly expected_ciphertext_tag: string;
  }[];
  readonly frame_cases: readonly {
    readonly version: number;
    readonly type: PacketType;
    readonly seq: number;
    readonly payload: string;
    readonly expected_frame: string;
  }[];
}

const digits = (bytes: Uint8Array): string => toHex(bytes).toUpperCase();

describeVectors('golden.json', (golden: Golden) => {
  it.each(golden.crc_cases)('CRC-16 $expected_crc', ({ input, expected_crc }) => {
    expect(crc16(fromHex(input)).toString(16).toUpperCase()).toBe(expected_crc);
  });

  it.each(golden.aad_cases)('additional data $expected_aad', ({ magic, version, type, seq, length, expected_aad }) => {
    expect([magic, version]).toEqual([0xabcd, PROTOCOL_VERSION]);
    const frame = decodeFrame(encodeFrame(type, seq, new Uint8Array(length)));
    expect(digits(frame.additionalData)).toBe(expected_aad);
  });

  it.each(golden.nonce_cases)('nonce $expected_nonce', ({ seq, session_id, expected_nonce }) => {
    expect(digits(nonceFor(fromHex(session_id), seq))).toBe(expected_nonce);
  });

  it.each(golden.frame_cases)('frame $expected_frame', ({ version, type, seq, payload, expected_frame }) => {
    expect(version).toBe(PROTOCOL_VERSION);
    expect(digits(encodeFrame(type, seq, fromHex(payload)))).toBe(expected_frame);
    const decoded = decodeFrame(fromHex(expected_frame));
    expect([decoded.type, decoded.seq, digits(decoded.payload)]).toEqual([type, seq, payload]);
  });

  describe.each(PROVIDERS)('with the provider %s', (_provider, crypto) => {
    it.each(golden.encryption_cases)(
      'sealed payload $expected_ciphertext_tag',
      ({ key, session_id, seq, type, plaintext, expected_nonce, expected_ciphertext_tag }) => {
        const sealer = new FrameSealer(crypto.aead('aes-256-gcm', fromHex(key)), fromHex(session_id), seq);
        const bytes = sealWith(sealer, type, fromHex(plaintext));
        expect(digits(bytes.subarray(HEADER_BYTES))).toBe(expected_ciphertext_tag);
        expect(digits(bytes.subarray(HEADER_BYTES, HEADER_BYTES + NONCE_BYTES))).toBe(expected_nonce);

        const opener = new FrameOpener(crypto.aead('aes-256-gcm', fromHex(key)), fromHex(session_id), seq);
        expect(digits(opener.open(decodeFrame(bytes)))).toBe(plaintext);
      },
    );
  });
});
