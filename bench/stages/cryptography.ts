import * as usmp from '../../src/node.js';
import { AeadBatch } from '../../src/protocol/aead-batch.js';
import type { CipherSuite, CryptoProvider } from '../../src/protocol/crypto-provider.js';
import { ADDITIONAL_DATA_BYTES, KEY_BYTES, NONCE_BYTES, TAG_BYTES } from '../../src/protocol/sizes.js';
import { BURST, repeated, type Stage } from './stage.js';

const isProvider = (value: unknown): value is CryptoProvider =>
  typeof value === 'object' && value !== null && 'aead' in value;

/** Sealing and opening with every provider that the package exports. */
export function cryptographyStages(bytes: number): Stage[] {
  const providers = Object.values<unknown>({ ...usmp }).filter(isProvider);
  const suites: CipherSuite[] = ['aes-256-gcm', 'chacha20-poly1305'];
  return providers.flatMap((crypto) => suites.flatMap((suite) => aeadStages(crypto, suite, bytes)));
}

function aeadStages(crypto: CryptoProvider, suite: CipherSuite, bytes: number): Stage[] {
  const aead = crypto.aead(suite, crypto.randomBytes(KEY_BYTES));
  const nonce = crypto.randomBytes(NONCE_BYTES);
  const additionalData = crypto.randomBytes(ADDITIONAL_DATA_BYTES);
  const plaintext = crypto.randomBytes(bytes);
  const sealed = new Uint8Array(bytes + TAG_BYTES);
  aead.seal(nonce, additionalData, plaintext, sealed, 0);
  const name = `${suite}, ${crypto.name}`;
  const stages: Stage[] = [
    { name: `seal: ${name}`, run: repeated(() => aead.seal(nonce, additionalData, plaintext, sealed, 0)) },
    { name: `open: ${name}`, run: repeated(() => void aead.open(nonce, additionalData, sealed)) },
  ];
  if (!aead.sealBatch || !aead.openBatch) return stages;

  const { burst, batch } = burstOf(bytes);
  const inBursts = (body: () => void) => (messages: number) => repeated(body)(messages / BURST);
  return [
    ...stages,
    { name: `seal ${BURST} together: ${name}`, run: inBursts(() => aead.sealBatch?.(burst, batch)) },
    // What the stage before leaves is sealed.
    { name: `open ${BURST} together: ${name}`, run: inBursts(() => void aead.openBatch?.(burst, batch)) },
  ];
}

/** Additional data, nonce, text and tag, one after the other. */
function burstOf(bytes: number): { burst: Uint8Array; batch: AeadBatch } {
  const stride = ADDITIONAL_DATA_BYTES + NONCE_BYTES + bytes + TAG_BYTES;
  const batch = new AeadBatch();
  for (let n = 0; n < BURST; n++) {
    const at = n * stride;
    const nonceAt = at + ADDITIONAL_DATA_BYTES;
    batch.add(at, ADDITIONAL_DATA_BYTES, nonceAt, nonceAt + NONCE_BYTES, bytes);
  }
  return { burst: new Uint8Array(BURST * stride), batch };
}
