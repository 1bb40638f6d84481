import { createCipheriv, type Cipher } from 'node:crypto';
import { describe, expect, it, jest } from '@jest/globals';
import { BatchedGcm } from '../../../src/crypto/fast-gcm/batched-gcm.js';
import { compileKernel, kernelSources } from '../../../src/crypto/fast-gcm/compile-kernel.mjs';
import { GcmKernel } from '../../../src/crypto/fast-gcm/gcm-kernel.js';
import { kernel as committed } from '../../../src/crypto/fast-gcm/kernel.js';
import { passesSelfTest } from '../../../src/crypto/fast-gcm/self-test.js';
import { nodeCrypto } from '../../../src/crypto/node.js';
import { failureOf, MISUSE } from '../failure-of.js';
import { burstOf, bytesOf } from './burst.js';

const sources = kernelSources();
const binary = Buffer.from(committed, 'base64');
const module = new WebAssembly.Module(binary);

interface Layout {
  readonly memory: WebAssembly.Memory;
  readonly blocksAt: WebAssembly.Global<'i32'>;
  readonly memoryEnd: WebAssembly.Global<'i32'>;
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
    expect(Buffer.from(await compileKernel()).equals(binary)).toBe(true);
  });

  it('imports nothing', () => {
    expect(WebAssembly.Module.imports(module)).toEqual([]);
  });

  it('has memory for all that it lays out', () => {
    const { memory, memoryEnd } = layoutOf(new WebAssembly.Instance(module));
    expect(memory.buffer.byteLength).toBeGreaterThanOrEqual(memoryEnd.value);
  });

  it.each([
    ['few', 20],
    ['many', 50],
  ])('keeps no plaintext and no key stream of %s frames, and of a wiped key nothing', (_, count) => {
    const { kernel, memory } = kernelWithMemory();
    const key = bytesOf(1, 32);
    const { staged, sealed, starts, end, sessionId, plaintexts } = burstOf(
      key,
      2,
      Array.from({ length: count }, (__, n) => 40 + 3 * n),
    );
    const aead = new BatchedGcm(kernel, key);
    const nonce = Buffer.concat([Buffer.alloc(4), sessionId.subarray(0, 8)]);
    const isClean = () => {
      const kept = Buffer.from(memory.buffer);
      return plaintexts.every(
        (plaintext, n) =>
          !kept.includes(Buffer.from(plaintext.subarray(0, 16))) &&
          !kept.includes(Buffer.from(plaintext.subarray(24, 40))) &&
          !kept.includes(keyStreamOf(key, nonce, 2 + n).subarray(0, 16)),
      );
    };

    memory.set(plaintexts[3]!.subarray(0, 16), memory.length - 16);
    expect(isClean()).toBe(false);
    memory.fill(0, memory.length - 16);
    aead.sealFrames(staged, starts[0]!, end);
    expect(Buffer.compare(staged, sealed)).toBe(0);
    expect(isClean()).toBe(true);
    expect(aead.openFrames(sealed, starts[0]!, 2, sessionId)).toHaveLength(count);
    expect(isClean()).toBe(true);
    const { blocksAt } = layoutOf(new WebAssembly.Instance(module));
    const ofKeys = memory.subarray(0, blocksAt.value);
    expect(ofKeys.every((byte) => byte === 0)).toBe(false);
    aead.wipe();
    expect(ofKeys.every((byte) => byte === 0)).toBe(true);
  });

  it('keeps no byte tables of a key when another one has a long burst', () => {
    const { kernel, memory } = kernelWithMemory();
    const { blocksAt } = layoutOf(new WebAssembly.Instance(module));
    const used = () => memory.subarray(0, blocksAt.value).filter((byte) => byte !== 0).length;
    const [long, short] = [new BatchedGcm(kernel, bytesOf(1, 32)), new BatchedGcm(kernel, bytesOf(2, 32))];
    const seal = (aead: BatchedGcm, length: number) => {
      const { staged, starts, end } = burstOf(bytesOf(1, 32), 2, Array<number>(40).fill(length));
      aead.sealFrames(staged, starts[0]!, end);
    };
    seal(long, 452);
    const withLong = used();
    seal(short, 20);
    expect(used()).toBeLessThan(withLong / 3);
    short.wipe();
    long.wipe();
    expect(used()).toBe(0);
  });

  it('keeps no plaintext where AES fails', () => {
    const { kernel, memory } = kernelWithMemory();
    const key = bytesOf(1, 32);
    const { staged, starts, end, plaintexts } = burstOf(key, 2, [100, 60]);
    const update = jest
      .spyOn(Object.getPrototypeOf(createCipheriv('aes-256-ecb', key, null)) as Cipher, 'update')
      .mockImplementation(() => {
        throw new Error('no AES');
      });
    try {
      const aead = new BatchedGcm(kernel, key);
      const failures = [
        () => aead.sealFrames(staged, starts[0]!, end),
        () => aead.seal(new Uint8Array(12), new Uint8Array(10), plaintexts[0]!, new Uint8Array(116), 0),
      ].map((run) => failureOf(run));
      expect(failures).toEqual([MISUSE, MISUSE]);
      expect(Buffer.from(memory.buffer).includes(Buffer.from(plaintexts[0]!.subarray(0, 16)))).toBe(false);
    } finally {
      update.mockRestore();
    }
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
    // Of zeros the ciphertext, which stays where texts are worked on, is the key stream too.
    const before = Buffer.from(memory.buffer, 0, layoutOf(new WebAssembly.Instance(module)).blocksAt.value);
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
    const { staged, starts, end } = burstOf(key, 5, [30, 40]);
    aead.sealFrames(staged, starts[0]!, end);
    expect(kept()).toEqual([]);
    sealAt(6);
    sealAt(7);
    aead.wipe();
    const { blocksAt } = layoutOf(new WebAssembly.Instance(module));
    expect(memory.subarray(0, blocksAt.value).every((byte) => byte === 0)).toBe(true);
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
    ['any tag accepted', 'if (v128.any_true(', 'if (false && v128.any_true('],
    ['a CRC of another parity', '& 1 ? crc ^ 0xc001 : crc', '& 1 ? crc : crc ^ 0xc001'],
    ['a CRC of another beginning', 'i8x16.lt_u(place, i8x16.splat(2))', 'i8x16.lt_u(place, i8x16.splat(1))'],
    ['wrong products of bytes', 'for (let bit: usize = 2; bit < 256', 'for (let bit: usize = 4; bit < 256'],
    ['byte tables of too few powers', 'if (byteTables >= n) return;', 'if (byteTables > 0) return;'],
    ["another key's byte tables", 'if (byteTablesOf !== key) {', 'if (byteTablesOf === 0) {'],
  ])('fails its self-test with %s', async (_, right, wrong) => {
    expect(Object.values(sources).join().split(right)).toHaveLength(2);
    const spoilt = Object.entries(sources).map(([name, source]) => [name, source.replace(right, wrong)] as const);
    const broken = new GcmKernel(Uint8Array.from(await compileKernel(Object.fromEntries(spoilt))));
    expect(passesSelfTest(broken, nodeCrypto)).toBe(false);
  });

  it('passes its self-test', () => {
    expect(passesSelfTest(new GcmKernel(), nodeCrypto)).toBe(true);
  });
});
