import type { CryptoProvider } from '../protocol/crypto-provider.js';
import { BatchedGcm } from './fast-gcm/batched-gcm.js';
import { GcmKernel } from './fast-gcm/gcm-kernel.js';
import { passesSelfTest } from './fast-gcm/self-test.js';
import { nodeCrypto } from './node.js';

/** Undefined until the first key, which starts the kernel for all keys; false where it does not work here. */
let kernel: GcmKernel | false | undefined;

function start(): GcmKernel | false {
  try {
    const started = new GcmKernel();
    return passesSelfTest(started, nodeCrypto) && started;
  } catch {
    return false;
  }
}

/**
 * The provider for Node with AES-256-GCM by the burst: the same bytes as `nodeCrypto` at a fraction of the time a frame. Where
 * WebAssembly with 128-bit vectors is missing or the kernel fails its self-test, it is `nodeCrypto` under another name. A text of
 * AES-256-GCM has at most 96 KiB here, with all that belongs to it.
 */
export const fastNodeCrypto: CryptoProvider = {
  ...nodeCrypto,
  name: 'node-fast',
  aead(suite, key) {
    if (suite !== 'aes-256-gcm') return nodeCrypto.aead(suite, key);
    kernel ??= start();
    return kernel ? new BatchedGcm(kernel, key) : nodeCrypto.aead(suite, key);
  },
};
