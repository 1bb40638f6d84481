/**
 * Do frames sealed and opened together agree with node:crypto? Random keys, sessions and texts of 0 to 452 bytes in bursts of 1 to 80
 * frames at odd places: every sealed byte is compared, every frame is opened again, and in one burst of three one frame is forged
 * in one bit, with a CRC that is right for it, and must be refused with all behind it. Half of the bursts are one frame.
 * node --import tsx bench/experiments/gcm-agreement.mjs [frames]
 */
import { randomBytes, randomInt } from 'node:crypto';
import { argv, exit } from 'node:process';
import { BatchedGcm } from '../../src/crypto/fast-gcm/batched-gcm.ts';
import { GcmKernel } from '../../src/crypto/fast-gcm/gcm-kernel.ts';
import { nodeCrypto } from '../../src/crypto/node.ts';
import { writeCrc } from '../../src/protocol/frame.ts';
import { FrameSealer, sealedFrameBytes } from '../../src/protocol/sealed-frame.ts';

const FRAMES = Number(argv[2] ?? 2_000_000);
if (!(Number.isInteger(FRAMES) && FRAMES > 0)) throw new Error(`expected a whole number above 0, got ${argv[2]}`);
const KEYS = 600;
const FRAMES_A_KEY = 20_000;
const DATA = 5;

const kernel = new GcmKernel();
let keys = [];
let frames = 0;
let refused = 0;
let nextReport = 0;

while (frames < FRAMES) {
  // More keys than slots, each replaced now and then.
  if (keys.length < KEYS || frames % FRAMES_A_KEY < 40) keys = [...keys.slice(keys.length < KEYS ? 0 : 1), newKey()];
  check(keys[randomInt(keys.length)]);
  if (frames < nextReport) continue;
  console.log(`${frames} frames agree, ${refused} forged ones refused`);
  nextReport += FRAMES / 10;
}
console.log(`${frames} frames agree, ${refused} forged ones refused: done`);

function newKey() {
  const [key, sessionId] = [randomBytes(32), randomBytes(16)];
  return {
    sessionId,
    expected: new FrameSealer(nodeCrypto.aead('aes-256-gcm', key), sessionId),
    sealing: new FrameSealer(new BatchedGcm(kernel, key), sessionId),
    opening: new BatchedGcm(kernel, key),
    seq: 0,
  };
}

function check(key) {
  const longest = randomInt(4) === 0 ? 452 : 64;
  const texts = Array.from({ length: randomInt(2) === 0 ? 1 : randomInt(1, 81) }, () =>
    randomBytes(randomInt(longest + 1)),
  );
  const from = randomInt(18);
  const starts = [];
  let end = from;
  for (const { length } of texts) {
    starts.push(end);
    end += sealedFrameBytes(length);
  }
  const sealed = randomBytes(end + randomInt(18));
  const expected = Buffer.from(sealed);
  texts.forEach((text, n) => {
    key.sealing.stage(DATA, text, sealed, starts[n]);
    key.expected.seal(DATA, text, expected, starts[n]);
  });
  key.sealing.sealStaged(sealed);
  if (!sealed.equals(expected)) fail('sealed bytes differ', texts);

  let whole = texts.length;
  if (randomInt(3) === 0) {
    whole = randomInt(texts.length);
    const bytes = sealedFrameBytes(texts[whole].length);
    // Any but the CRC itself.
    const at = (randomInt(bytes - 2) + 12) % bytes;
    sealed[starts[whole] + at] ^= 1 << randomInt(8);
    writeCrc(sealed, starts[whole], bytes - 12);
    refused++;
  }
  let opened = 0;
  for (;;) {
    const at = starts[opened] ?? end;
    const some = key.opening.openFrames(sealed, at, key.seq + opened, key.sessionId);
    for (const { plaintext } of some) {
      if (Buffer.compare(plaintext, texts[opened++]) !== 0) fail('a frame was not opened right', texts);
    }
    if (some.length === 0) break;
  }
  if (opened !== whole) fail(`${opened} frames were opened where ${whole} are right`, texts);
  key.seq += texts.length;
  frames += texts.length;
}

function fail(what, texts) {
  console.error(`${what}; lengths: ${texts.map(({ length }) => length).join(' ')}`);
  exit(1);
}
