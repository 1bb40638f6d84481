/**
 * What one frame costs to seal and to open, alone and in bursts, by the AEADs that Node can choose from. The candidates take
 * turns; medians of all rounds in microseconds a frame. node --import tsx bench/experiments/aead.mjs [rounds]
 */
import { argv } from 'node:process';
import sodium from 'sodium-native';
import { fastNodeCrypto } from '../../src/crypto/fast-node.ts';
import { nobleCrypto } from '../../src/crypto/noble.ts';
import { nodeCrypto } from '../../src/crypto/node.ts';
import { FrameSealer } from '../../src/protocol/sealed-frame.ts';

const ROUNDS = Number(argv[2] ?? 15);
if (!(Number.isInteger(ROUNDS) && ROUNDS > 0)) throw new Error(`expected a whole number above 0, got ${argv[2]}`);
const FRAMES_A_ROUND = 2_048;
const ADDITIONAL_DATA_BYTES = 10;
const DATA = 5;
const sessionId = new Uint8Array(16);
/** Writes frames and seals nothing. */
const staging = { sealFrames() {} };
const key = Uint8Array.from({ length: 32 }, (_, n) => n * 7);

const candidates = [
  ...['aes-256-gcm', 'chacha20-poly1305'].flatMap((suite) =>
    [nodeCrypto, nobleCrypto].map((crypto) => oneByOne(`${suite}, ${crypto.name}`, crypto.aead(suite, key))),
  ),
  oneByOne('chacha20-poly1305, sodium-native', sodiumAead()),
  oneByOne('aes-256-gcm, node-fast one by one', fastNodeCrypto.aead('aes-256-gcm', key)),
  byBursts('aes-256-gcm, node-fast by the burst', fastNodeCrypto.aead('aes-256-gcm', key)),
];

for (const bytes of [16, 64, 452]) {
  const bursts = [1, 8, 32, 128];
  const samples = candidates.map(() => bursts.map(() => ({ seal: [], open: [] })));
  for (let round = -1; round < ROUNDS; round++) {
    for (const [column, count] of bursts.entries()) {
      const burst = burstOf(count, bytes);
      for (const [row, { seal, open }] of candidates.entries()) {
        seal(burst);
        const us = { seal: timeUs(seal, burst), open: timeUs(open, burst) };
        if (round < 0) continue;
        samples[row][column].seal.push(us.seal);
        samples[row][column].open.push(us.open);
      }
    }
  }
  console.log(`\n${bytes} bytes, seal / open in µs a frame, in bursts of ${bursts.join(', ')}`);
  for (const [row, { name }] of candidates.entries()) {
    const cells = samples[row].map(({ seal, open }) => `${median(seal).toFixed(2)} / ${median(open).toFixed(2)}`);
    console.log(`  ${name.padEnd(34)}${cells.map((cell) => cell.padStart(16)).join('')}`);
  }
}

/** Frames as they stand in one array: header of 12 bytes, nonce, text, tag. */
function burstOf(count, bytes) {
  const stride = 12 + 12 + bytes + 16;
  const array = new Uint8Array(count * stride);
  const sealer = new FrameSealer(staging, sessionId);
  const frames = Array.from({ length: count }, (_, n) => {
    const at = n * stride;
    sealer.stage(DATA, new Uint8Array(bytes), array, at);
    return {
      additionalData: array.subarray(at, at + ADDITIONAL_DATA_BYTES),
      nonce: array.subarray(at + 12, at + 24),
      plaintext: new Uint8Array(bytes),
      sealed: array.subarray(at + 24, at + stride),
      textAt: at + 24,
    };
  });
  return { array, frames };
}

function oneByOne(name, aead) {
  return {
    name,
    seal: ({ array, frames }) => {
      for (const { nonce, additionalData, plaintext, textAt } of frames) {
        aead.seal(nonce, additionalData, plaintext, array, textAt);
      }
    },
    open: ({ frames }) => {
      for (const { nonce, additionalData, sealed } of frames) demand(aead.open(nonce, additionalData, sealed));
    },
  };
}

/** Sealing in place seals what the last time gave; what it costs is the same. A long burst is opened in several calls. */
function byBursts(name, aead) {
  return {
    name,
    seal: ({ array }) => aead.sealFrames(array, 0, array.length),
    open({ array, frames }) {
      for (let opened = 0; opened < frames.length; ) {
        const some = aead.openFrames(array, (opened * array.length) / frames.length, opened, sessionId).length;
        demand(some || undefined);
        opened += some;
      }
    },
  };
}

function sodiumAead() {
  const { crypto_aead_chacha20poly1305_ietf_encrypt: encrypt, crypto_aead_chacha20poly1305_ietf_decrypt: decrypt } =
    sodium;
  return {
    seal: (nonce, additionalData, plaintext, out, at) =>
      encrypt(out.subarray(at, at + plaintext.length + 16), plaintext, additionalData, null, nonce, key),
    open: (nonce, additionalData, sealed) => {
      const plaintext = new Uint8Array(sealed.length - 16);
      decrypt(plaintext, null, sealed, additionalData, nonce, key);
      return plaintext;
    },
  };
}

function timeUs(run, burst) {
  const runs = FRAMES_A_ROUND / burst.frames.length;
  const start = performance.now();
  for (let n = 0; n < runs; n++) run(burst);
  return ((performance.now() - start) * 1_000) / FRAMES_A_ROUND;
}

function demand(opened) {
  if (opened === undefined) throw new Error('a frame was not opened');
}

function median(values) {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}
