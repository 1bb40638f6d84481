import { AeadBatch, RANGE_WORDS } from '../../protocol/aead-batch.js';
import { concatBytes } from '../../protocol/bytes.js';
import { NONCE_BYTES, TAG_BYTES } from '../../protocol/sizes.js';
import type { Aead, CryptoProvider } from '../../protocol/crypto-provider.js';
import { BatchedGcm } from './batched-gcm.js';
import type { GcmKernel } from './gcm-kernel.js';

const ADDITIONAL_DATA_BYTES = 20;

/** Empty, parts of blocks, whole blocks, a full frame, and more than the kernel hashes at once. */
const LENGTHS = [0, 1, 15, 16, 17, 60, 64, 452, 1100];

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
  const key = fromHex(KNOWN.key);
  const aead = new BatchedGcm(kernel, key);
  try {
    const plain = reference.aead('aes-256-gcm', key);
    return givesKnownAnswer(aead) && agreesWith(plain, aead) && agreesOneByOne(plain, aead);
  } finally {
    aead.wipe();
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

/** One batch of a text of each length; opened once more with one tag forged, that text alone is refused. */
function agreesWith(reference: Aead, aead: BatchedGcm): boolean {
  const frames = LENGTHS.map((length) => sealedBy(reference, length));
  const batch = new AeadBatch();
  let end = 0;
  for (const { sealed, plaintext } of frames) {
    const textAt = end + NONCE_BYTES + ADDITIONAL_DATA_BYTES;
    batch.add(end + NONCE_BYTES, ADDITIONAL_DATA_BYTES, end, textAt, plaintext.length);
    end = textAt + sealed.length;
  }
  const expected = concatBytes(
    ...frames.flatMap(({ nonce, additionalData, sealed }) => [nonce, additionalData, sealed]),
  );
  const bytes = Uint8Array.from(expected);
  frames.forEach(({ plaintext }, text) => bytes.set(plaintext, batch.ranges[RANGE_WORDS * text + 3]));

  aead.sealBatch(bytes, batch);
  if (!isEqual(bytes, expected)) return false;
  const isRight = (opened: Uint8Array | undefined, text: number) =>
    opened !== undefined && isEqual(opened, frames[text]!.plaintext);
  if (!aead.openBatch(bytes, batch).every(isRight)) return false;
  return frames.every((_, forged) => {
    const tagAt = batch.ranges[RANGE_WORDS * forged + 3]! + LENGTHS[forged]!;
    bytes[tagAt + (forged % TAG_BYTES)]! ^= 1;
    const opened = aead.openBatch(bytes, batch);
    bytes[tagAt + (forged % TAG_BYTES)]! ^= 1;
    return opened.every((one, text) => (text === forged ? one === undefined : isRight(one, text)));
  });
}

/** Texts that come alone, with nonces that count up: key stream is made ahead, and the longest needs more than that. */
function agreesOneByOne(reference: Aead, aead: BatchedGcm): boolean {
  return [40, 40, 40, 30, 300, 300].every((length, count) => {
    const { nonce, additionalData, plaintext, sealed } = sealedBy(reference, length, count);
    const out = new Uint8Array(sealed.length);
    aead.seal(nonce, additionalData, plaintext, out, 0);
    return isEqual(out, sealed);
  });
}

/** Of bytes without a pattern that would hide a mistake; nothing secret. */
function sealedBy(reference: Aead, length: number, count?: number) {
  const bytes = Uint8Array.from({ length: NONCE_BYTES + ADDITIONAL_DATA_BYTES + length }, (_, n) => (n + length) * 167);
  const nonce = bytes.subarray(0, NONCE_BYTES);
  if (count !== undefined) nonce.fill(0).fill(count, 0, 1);
  const additionalData = bytes.subarray(NONCE_BYTES, NONCE_BYTES + ADDITIONAL_DATA_BYTES);
  const plaintext = bytes.subarray(NONCE_BYTES + ADDITIONAL_DATA_BYTES);
  const sealed = new Uint8Array(length + TAG_BYTES);
  reference.seal(nonce, additionalData, plaintext, sealed, 0);
  return { nonce, additionalData, plaintext, sealed };
}

const fromHex = (digits: string): Uint8Array => Uint8Array.from(Buffer.from(digits, 'hex'));
const isEqual = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;
