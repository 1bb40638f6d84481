/**
 * Does AES-256-GCM by batches agree with node:crypto? Random keys, nonces, additional data of 0 to 40 and texts of 0 to 500 bytes in
 * batches of 1 to 40 at odd places: every sealed byte is compared, every text opened again, and one text in ten is forged in
 * one bit and must be refused. Half of the batches are one text with the nonce that follows the last one. node --import tsx bench/experiments/gcm-agreement.mjs [texts]
 */
import { createCipheriv, createSecretKey, randomBytes, randomInt } from 'node:crypto';
import { argv, exit } from 'node:process';
import { BatchedGcm } from '../../src/crypto/fast-gcm/batched-gcm.ts';
import { GcmKernel } from '../../src/crypto/fast-gcm/gcm-kernel.ts';
import { AeadBatch, RANGE_WORDS } from '../../src/protocol/aead-batch.ts';

const TEXTS = Number(argv[2] ?? 2_000_000);
const KEYS = 600;
const TEXTS_A_KEY = 20_000;

const kernel = new GcmKernel();
const batch = new AeadBatch();
let keys = [];
let texts = 0;
let refused = 0;
let nextReport = 0;

while (texts < TEXTS) {
  // More keys than slots, each replaced now and then.
  if (keys.length < KEYS || texts % TEXTS_A_KEY < 40) keys = [...keys.slice(keys.length < KEYS ? 0 : 1), newKey()];
  check(keys[randomInt(keys.length)]);
  if (texts < nextReport) continue;
  console.log(`${texts} texts agree, ${refused} forged ones refused`);
  nextReport += TEXTS / 10;
}
console.log(`${texts} texts agree, ${refused} forged ones refused: done`);

function newKey() {
  const key = randomBytes(32);
  const [sealing, opening] = [new BatchedGcm(kernel, key), new BatchedGcm(kernel, key)];
  return { object: createSecretKey(key), sealing, opening, nonce: randomBytes(12), seq: randomInt(2 ** 32) };
}

function check(key) {
  const { object, sealing, opening, nonce } = key;
  const isAlone = randomInt(2) === 0;
  batch.clear();
  let end = 0;
  for (let count = isAlone ? 1 : randomInt(1, 41); count > 0; count--) {
    const at = end + randomInt(18);
    const additionalDataBytes = randomInt(41);
    const textAt = at + additionalDataBytes + 12;
    const textBytes = randomInt(501);
    batch.add(at, additionalDataBytes, at + additionalDataBytes, textAt, textBytes);
    end = textAt + textBytes + 16;
  }
  const plain = randomBytes(end + randomInt(18));
  if (isAlone) {
    key.seq = (key.seq + 1) >>> 0;
    nonce.writeUInt32LE(key.seq);
    nonce.copy(plain, batch.ranges[2]);
  }
  const sealed = Buffer.from(plain);
  const expected = Buffer.from(plain);
  const forged = Buffer.from(plain);
  const isForged = [];
  forEach((additionalDataAt, additionalDataBytes, nonceAt, textAt, textBytes) => {
    const cipher = createCipheriv('aes-256-gcm', object, plain.subarray(nonceAt, nonceAt + 12));
    cipher.setAAD(plain.subarray(additionalDataAt, additionalDataAt + additionalDataBytes));
    cipher.update(plain.subarray(textAt, textAt + textBytes)).copy(expected, textAt);
    cipher.final();
    cipher.getAuthTag().copy(expected, textAt + textBytes);
  });
  sealing.sealBatch(sealed, batch);
  if (!sealed.equals(expected)) fail('sealed bytes differ');

  expected.copy(forged);
  forEach((additionalDataAt, _, __, textAt, textBytes) => {
    isForged.push(randomInt(10) === 0);
    if (!isForged.at(-1)) return;
    const at = randomInt(additionalDataAt, textAt + textBytes + 16);
    forged[at] ^= 1 << randomInt(8);
    refused++;
  });
  const opened = opening.openBatch(forged, batch);
  let text = 0;
  forEach((_, __, ___, textAt, textBytes) => {
    const one = opened[text];
    if (isForged[text]) {
      if (one !== undefined) fail('a forged text was opened');
    } else if (!one || Buffer.compare(one, plain.subarray(textAt, textAt + textBytes)) !== 0)
      fail('a text was not opened');
    text++;
  });
  texts += batch.count;
}

function forEach(body) {
  const { ranges } = batch;
  for (let at = 0; at < ranges.length; at += RANGE_WORDS) body(...ranges.subarray(at, at + RANGE_WORDS));
}

function fail(what) {
  console.error(`${what}; ranges: ${batch.ranges.join(' ')}`);
  exit(1);
}
