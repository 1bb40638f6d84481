/** Calls into node:crypto and WebAssembly for a burst: node bench/guards/native-calls.mjs. */
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { setImmediate as turn } from 'node:timers/promises';
import { check, atMost, report } from './guard.mjs';
import { startServer } from './pair.mjs';

const BURST = 64;

/** Calls by name, since the last look. */
let calls = {};
function counted(name, called) {
  return function (...args) {
    calls[name] = (calls[name] ?? 0) + 1;
    return new.target ? Reflect.construct(called, args, new.target) : Reflect.apply(called, this, args);
  };
}

const crypto = createRequire(import.meta.url)('node:crypto');
const functionsOf = (object) =>
  Object.entries(Object.getOwnPropertyDescriptors(object)).filter(
    ([name, { value, writable }]) =>
      typeof value === 'function' && writable && /^[a-z]/.test(name) && name !== 'constructor',
  );
for (const [name, { value }] of functionsOf(crypto)) crypto[name] = counted(name, value);
for (const { prototype } of [crypto.Cipheriv, crypto.Decipheriv]) {
  for (const [name, { value }] of functionsOf(prototype)) prototype[name] = counted(name, value);
}
// For whoever imports by name.
syncBuiltinESMExports();

/** Its exports can't be replaced one by one. */
globalThis.WebAssembly.Instance = class extends globalThis.WebAssembly.Instance {
  get exports() {
    const all = Object.entries(super.exports);
    return Object.fromEntries(
      all.map(([name, one]) => [name, typeof one === 'function' ? counted(`wasm ${name}`, one) : one]),
    );
  }
};

// Only now: what is counted must be in place before.
const { fastNodeCrypto, nodeCrypto } = await import('usmp-rx/node');

/** Calls for a burst that is sealed, and for the same one opened. */
async function callsOfBurst(provider, length) {
  const open = await startServer({ crypto: provider });
  const { clientSession, serverSession, serverEnd } = await open();
  const message = new Uint8Array(length).fill(7);
  let received = 0;
  serverSession.messages$.subscribe(() => {
    received++;
  });
  const burst = async () => {
    for (let n = 0; n < BURST; n++) clientSession.send(message);
    await turn();
  };
  // The first one makes the ciphers.
  await burst();
  await turn();
  serverEnd.isHolding = true;
  calls = {};
  await burst();
  const sealing = calls;
  calls = {};
  serverEnd.release();
  check(received === 2 * BURST, `${received} messages arrived`);
  return { sealing, opening: calls };
}

const sum = (all, isMeant = () => true) =>
  Object.entries(all).reduce((total, [name, count]) => total + (isMeant(name) ? count : 0), 0);
const isWasm = (name) => name.startsWith('wasm ');

const guards = [];
for (const length of [64, 452]) {
  const { sealing, opening } = await callsOfBurst(fastNodeCrypto, length);
  const frames = `for ${BURST} frames of ${length} bytes`;
  for (const [done, all] of [
    ['sealed', sealing],
    ['opened', opening],
  ]) {
    guards.push(
      atMost(
        1,
        `calls into node:crypto ${frames} ${done} together with fastNodeCrypto, all AES in one`,
        sum(all, (name) => !isWasm(name)),
      ),
      atMost(2, `calls into WebAssembly ${frames} ${done} together with fastNodeCrypto`, sum(all, isWasm)),
    );
  }
}
const { sealing, opening } = await callsOfBurst(nodeCrypto, 64);
guards.push(
  atMost(1, 'calls of createCipheriv for a frame sealed with nodeCrypto', sealing.createCipheriv / BURST),
  atMost(1, 'calls of createDecipheriv for a frame opened with nodeCrypto', opening.createDecipheriv / BURST),
  atMost(5, 'calls into node:crypto for a frame sealed with nodeCrypto', sum(sealing) / BURST),
  atMost(5, 'calls into node:crypto for a frame opened with nodeCrypto', sum(opening) / BURST),
);
report(guards);
