import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { nodeCrypto } from '../../../src/crypto/node.js';
import { bytesOf } from './burst.js';

const [key, nonce, additionalData, plaintext] = [bytesOf(1, 32), bytesOf(2, 12), bytesOf(3, 10), bytesOf(4, 100)];

/** The provider as a program finds it that has just begun. */
async function freshProvider() {
  jest.resetModules();
  const { fastNodeCrypto } = await import('../../../src/crypto/fast-node.js');
  return fastNodeCrypto;
}

describe('the fast provider for Node', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  it('seals frames of AES-256-GCM by the burst, of ChaCha20-Poly1305 one by one', async () => {
    const crypto = await freshProvider();
    expect(crypto.aead('aes-256-gcm', key).sealFrames).toBeDefined();
    expect(crypto.aead('chacha20-poly1305', key).sealFrames).toBeUndefined();
  });

  it('compiles nothing before the first key of AES-256-GCM', async () => {
    const compile = jest.spyOn(WebAssembly, 'Module');
    const crypto = await freshProvider();
    crypto.aead('chacha20-poly1305', key);
    expect(compile).not.toHaveBeenCalled();
    crypto.aead('aes-256-gcm', key);
    crypto.aead('aes-256-gcm', key);
    expect(compile).toHaveBeenCalledTimes(1);
  });

  it.each([
    [
      'the runtime refuses the kernel',
      () => {
        jest.spyOn(WebAssembly, 'Module').mockImplementation(() => {
          throw new WebAssembly.CompileError('no vectors');
        });
      },
    ],
    [
      'the kernel does not what it should',
      () => {
        const { Instance } = WebAssembly;
        jest.spyOn(WebAssembly, 'Instance').mockImplementation((module) => {
          const { exports } = new Instance(module);
          return { exports: { ...exports, sealFrames: () => undefined } };
        });
      },
    ],
  ])('uses node:crypto where %s, without a word', async (_, spoil) => {
    const words = (['log', 'info', 'warn', 'error', 'debug'] as const).map((level) => jest.spyOn(console, level));
    spoil();
    const crypto = await freshProvider();
    const aead = crypto.aead('aes-256-gcm', key);
    expect(aead.sealFrames).toBeUndefined();
    const [expected, out] = [new Uint8Array(116), new Uint8Array(116)];
    nodeCrypto.aead('aes-256-gcm', key).seal(nonce, additionalData, plaintext, expected, 0);
    aead.seal(nonce, additionalData, plaintext, out, 0);
    expect(out).toEqual(expected);
    for (const word of words) expect(word).not.toHaveBeenCalled();
  });
});
