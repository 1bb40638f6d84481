import { createCipheriv } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { BatchedGcm } from '../../../src/crypto/fast-gcm/batched-gcm.js';
import { compileKernel } from '../../../src/crypto/fast-gcm/compile-kernel.mjs';
import { GcmKernel } from '../../../src/crypto/fast-gcm/gcm-kernel.js';
import { kernel as committed } from '../../../src/crypto/fast-gcm/kernel.js';
import { passesSelfTest } from '../../../src/crypto/fast-gcm/self-test.js';
import { nodeCrypto } from '../../../src/crypto/node.js';
import { projectRoot } from '../../vectors.js';
import { burstOf, bytesOf, dice, randomShapes } from './burst.js';

const source = readFileSync(join(projectRoot, 'src/crypto/fast-gcm/kernel.as'), 'utf8');
const binary = Buffer.from(committed, 'base64');
const module = new WebAssembly.Module(binary);

interface Layout {
  readonly memory: WebAssembly.Memory;
  readonly byteLimit: WebAssembly.Global<'i32'>;
  readonly blocksAt: WebAssembly.Global<'i32'>;
  readonly bytesAt: WebAssembly.Global<'i32'>;
}
const layoutOf = (instance: WebAssembly.Instance) => instance.exports as unknown as Layout;

/** A kernel, and the memory it works in. */
function kernelWithMemory(): { kernel: GcmKernel; memory: Uint8Array } {
  const { Instance } = WebAssembly;
  let memory = new Uint8Array();
  WebAssembly.Instance = class extends Instance {
    constructor(...args: ConstructorParameters<typeof Instance>) {
      super(...args);
      memory = new Uint8Array(layoutOf(this).memory.buffer);
    }
  };
  try {
    return { kernel: new GcmKernel(), memory };
  } finally {
    WebAssembly.Instance = Instance;
  }
}

/** The first blocks of it, NIST SP 800-38D section 7.1: encrypted are the nonce and what is counted up from 2. */
function keyStreamOf(key: Uint8Array, nonce: Buffer, seq: number): Buffer {
  const counter = Buffer.concat([nonce, Buffer.of(0, 0, 0, 2)]);
  counter.writeUInt32LE(seq);
  return createCipheriv('aes-256-ctr', key, counter).update(Buffer.alloc(48));
}

describe('the kernel', () => {
  it('is what its source compiles to', async () => {
    expect(Buffer.from(await compileKernel(source)).equals(binary)).toBe(true);
  });

  it('imports nothing', () => {
    expect(WebAssembly.Module.imports(module)).toEqual([]);
  });

  it('has memory for all that it lays out', () => {
    const { memory, byteLimit, bytesAt } = layoutOf(new WebAssembly.Instance(module));
    // Blocks are read whole, also the last one.
    expect(memory.buffer.byteLength).toBeGreaterThanOrEqual(bytesAt.value + byteLimit.value + 16);
  });

  it('keeps no plaintext and no key stream, and of a wiped key nothing', () => {
    const { kernel, memory } = kernelWithMemory();
    const key = bytesOf(1, 32);
    const { batch, open, sealed } = burstOf(key, 2, randomShapes(20, dice(2)));
    const untouched = Uint8Array.from(memory);
    const aead = new BatchedGcm(kernel, key);
    const { blocksAt, bytesAt } = layoutOf(new WebAssembly.Instance(module));

    aead.sealBatch(Uint8Array.from(open), batch);
    expect(memory.subarray(blocksAt.value, bytesAt.value).every((byte) => byte === 0)).toBe(true);
    expect(Buffer.from(memory).includes(Buffer.from(sealed))).toBe(false);
    aead.openBatch(sealed, batch);
    expect(memory.subarray(blocksAt.value).every((byte) => byte === 0)).toBe(true);
    expect(Buffer.compare(memory.subarray(0, 4096), untouched.subarray(0, 4096))).not.toBe(0);
    aead.wipe();
    const { rangesAt } = new WebAssembly.Instance(module).exports as { rangesAt: WebAssembly.Global<'i32'> };
    expect(memory.subarray(0, rangesAt.value).every((byte) => byte === 0)).toBe(true);
  });

  it('keeps key stream of texts to come alone, until another nonce, a batch or a wipe comes', () => {
    const { kernel, memory } = kernelWithMemory();
    const key = bytesOf(1, 32);
    const aead = new BatchedGcm(kernel, key);
    const block = Buffer.from(bytesOf(3, 12));
    const sealAt = (seq: number, textBytes = 100) => {
      block.writeUInt32LE(seq);
      aead.seal(block, bytesOf(4, 10), new Uint8Array(textBytes), new Uint8Array(textBytes + 16), 0);
    };
    // Of zeros the ciphertext, which stays at bytesAt, is the key stream too.
    const before = Buffer.from(memory.buffer, 0, layoutOf(new WebAssembly.Instance(module)).bytesAt.value);
    const kept = () => [6, 7, 8, 9, 10, 11, 12].filter((seq) => before.includes(keyStreamOf(key, block, seq)));
    sealAt(6);
    expect(kept()).toEqual([]);
    sealAt(7);
    expect(kept()).toEqual([8, 9, 10, 11, 12]);
    sealAt(8);
    sealAt(9);
    expect(kept()).toEqual([10, 11, 12]);
    sealAt(11);
    expect(kept()).toEqual([]);
    sealAt(12);
    sealAt(5);
    sealAt(6);
    expect(kept()).toEqual([7, 8, 9, 10, 11, 12]);
    const { batch, open } = burstOf(key, 5, randomShapes(2, dice(6)));
    aead.sealBatch(open, batch);
    expect(kept()).toEqual([]);
    sealAt(6);
    sealAt(7);
    aead.wipe();
    const { rangesAt } = new WebAssembly.Instance(module).exports as { rangesAt: WebAssembly.Global<'i32'> };
    expect(memory.subarray(0, rangesAt.value).every((byte) => byte === 0)).toBe(true);
  });

  it.each([
    ['a wrong polynomial', 'i8x16(-31, 0', 'i8x16(-30, 0'],
    [
      'a reduction that loses what leaves twice',
      'const all = v128.xor(high, i8x16.add(left, left))',
      'const all = high',
    ],
    ['a hash that is not carried on', 'v128.xor(v128.load(from), hash)', 'v128.load(from)'],
    ['lengths in bytes', 'bswap<u64>(<u64>bytes << 3)', 'bswap<u64>(<u64>bytes)'],
    ['blocks that are not filled up', 'v128.and(v128.load(from), i8x16.lt_u', 'v128.or(v128.load(from), i8x16.lt_u'],
    ['the same key stream made ahead for all texts', '    nonce = after(nonce);', ''],
    ['key stream made ahead in a wrong order', '(texts - 1) * size * BLOCK', '0'],
    ['key stream that is too short', 'texts === 0 || blocks > size', 'texts === 0'],
    ['any tag accepted', '!v128.any_true(', 'true || v128.any_true('],
  ])('fails its self-test with %s', async (_, right, wrong) => {
    expect(source.split(right)).toHaveLength(2);
    const broken = new GcmKernel(Uint8Array.from(await compileKernel(source.replace(right, wrong))));
    expect(passesSelfTest(broken, nodeCrypto)).toBe(false);
  });

  it('passes its self-test', () => {
    expect(passesSelfTest(new GcmKernel(), nodeCrypto)).toBe(true);
  });
});
