import type { Aead, CryptoProvider } from '../../protocol/crypto-provider.js';
import { writeCrc } from '../../protocol/frame.js';
import { PacketType } from '../../protocol/packet-type.js';
import { FrameSealer, sealedFrameBytes } from '../../protocol/sealed-frame.js';
import { HEADER_BYTES, KEY_BYTES, NONCE_BYTES, SESSION_ID_BYTES, TAG_BYTES } from '../../protocol/sizes.js';
import { BatchedGcm } from './batched-gcm.js';
import type { GcmKernel } from './gcm-kernel.js';

/** Empty, parts of blocks, whole blocks, a full frame. */
const LENGTHS = [0, 1, 15, 16, 17, 60, 64, 452];
/** So many frames that the kernel makes byte tables. */
const LONG_BURST = [LENGTHS, LENGTHS, LENGTHS, LENGTHS].flat();

/** The Galois/Counter Mode of Operation, McGrew and Viega, test case 16. */
const KNOWN = {
  key: 'feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308',
  nonce: 'cafebabefacedbaddecaf888',
  additionalData: 'feedfacedeadbeeffeedfacedeadbeefabaddad2',
  plaintext:
    'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39',
  sealed:
    '522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662' +
    '76fc6ece0f4e1768cddf8853bb2d551b',
} as const;

/** Whether this kernel does here what it should: a known answer, the bytes of `reference`, and no forged tag accepted. */
export function passesSelfTest(kernel: GcmKernel, reference: CryptoProvider): boolean {
  const keys = [fromHex(KNOWN.key), publicBytes(KEY_BYTES)];
  const aeads = keys.map((key) => new BatchedGcm(kernel, key));
  try {
    return aeads.every((aead, n) => {
      const plain = reference.aead('aes-256-gcm', keys[n]!);
      return (
        (n > 0 || givesKnownAnswer(aead)) &&
        agreesWith(plain, aead, LENGTHS) &&
        agreesWith(plain, aead, LONG_BURST) &&
        agreesOneByOne(plain, aead)
      );
    });
  } finally {
    for (const aead of aeads) aead.wipe();
  }
}

function givesKnownAnswer(aead: BatchedGcm): boolean {
  const [nonce, additionalData] = [fromHex(KNOWN.nonce), fromHex(KNOWN.additionalData)];
  const [plaintext, sealed] = [fromHex(KNOWN.plaintext), fromHex(KNOWN.sealed)];
  const out = new Uint8Array(sealed.length);
  aead.seal(nonce, additionalData, plaintext, out, 0);
  const opened = aead.open(nonce, additionalData, sealed);
  return isEqual(out, sealed) && opened !== undefined && isEqual(opened, plaintext);
}

/** One burst of frames; opened once more for one of each length with its tag forged, only what is before it comes out. */
function agreesWith(reference: Aead, aead: BatchedGcm, lengths: readonly number[]): boolean {
  const plaintexts = lengths.map(publicBytes);
  const starts = lengths.map((_, n) => lengths.slice(0, n).reduce((end, length) => end + sealedFrameBytes(length), 0));
  const expected = new Uint8Array(starts.at(-1)! + sealedFrameBytes(lengths.at(-1)!));
  const bytes = new Uint8Array(expected.length);
  const plainSealer = new FrameSealer(reference, SESSION_ID);
  const sealer = new FrameSealer(aead, SESSION_ID);
  plaintexts.forEach((plaintext, n) => {
    plainSealer.seal(PacketType.DATA, plaintext, expected, starts[n]!);
    sealer.stage(PacketType.DATA, plaintext, bytes, starts[n]!);
  });
  sealer.sealStaged(bytes);
  const opensTo = (count: number): boolean => {
    const opened = aead.openFrames(bytes, 0, 0, SESSION_ID);
    return opened.length === count && opened.every(({ plaintext }, n) => isEqual(plaintext, plaintexts[n]!));
  };
  const refuses = (forged: number): boolean => {
    const [at, frameBytes] = [starts[forged]!, sealedFrameBytes(lengths[forged]!)];
    const flip = (): void => {
      bytes[at + frameBytes - 1 - (forged % TAG_BYTES)]! ^= 1;
      writeCrc(bytes, at, frameBytes - HEADER_BYTES);
    };
    flip();
    const isRefused = opensTo(forged);
    flip();
    return isRefused;
  };
  return isEqual(bytes, expected) && opensTo(lengths.length) && LENGTHS.every((_, forged) => refuses(forged));
}

/** Texts that come alone, with nonces that count up: key stream is made ahead, and the longest needs more than that. */
function agreesOneByOne(reference: Aead, aead: BatchedGcm): boolean {
  const additionalData = publicBytes(20);
  const texts = [40, 40, 40, 30, 300, 1100].map((length, count) => {
    const [nonce, plaintext, sealed] = [
      publicBytes(NONCE_BYTES),
      publicBytes(length),
      new Uint8Array(length + TAG_BYTES),
    ];
    nonce.fill(0, 0, 4)[0] = count;
    reference.seal(nonce, additionalData, plaintext, sealed, 0);
    return { nonce, plaintext, sealed };
  });
  const seals = texts.every(({ nonce, plaintext, sealed }) => {
    const out = new Uint8Array(sealed.length);
    aead.seal(nonce, additionalData, plaintext, out, 0);
    return isEqual(out, sealed);
  });
  const opens = ({ nonce, plaintext, sealed }: (typeof texts)[number]): boolean => {
    const opened = aead.open(nonce, additionalData, sealed);
    return opened !== undefined && isEqual(opened, plaintext);
  };
  return seals && texts.every(opens);
}

/** Nothing secret, and without a pattern that would hide a mistake. */
const publicBytes = (length: number): Uint8Array => Uint8Array.from({ length }, (_, n) => (n + length) * 167);
const SESSION_ID = publicBytes(SESSION_ID_BYTES);

const fromHex = (digits: string): Uint8Array => Uint8Array.from(Buffer.from(digits, 'hex'));
const isEqual = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;
