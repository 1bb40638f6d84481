import * as usmp from '../../src/node.js';
import type { CipherSuite, CryptoProvider } from '../../src/protocol/crypto-provider.js';
import { PacketType } from '../../src/protocol/packet-type.js';
import { FrameSealer, sealedFrameBytes } from '../../src/protocol/sealed-frame.js';
import {
  ADDITIONAL_DATA_BYTES,
  KEY_BYTES,
  NONCE_BYTES,
  SESSION_ID_BYTES,
  TAG_BYTES,
} from '../../src/protocol/sizes.js';
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
  const { sealFrames, openFrames } = aead;
  if (!sealFrames || !openFrames) return stages;

  const sessionId = crypto.randomBytes(SESSION_ID_BYTES);
  const burst = new Uint8Array(BURST * sealedFrameBytes(bytes));
  const stage = (): FrameSealer => {
    const sealer = new FrameSealer(aead, sessionId);
    for (let n = 0; n < BURST; n++) sealer.stage(PacketType.DATA, plaintext, burst, n * sealedFrameBytes(bytes));
    return sealer;
  };
  stage().sealStaged(burst);
  const received = burst.slice();
  const inBursts = (body: () => void) => (messages: number) => repeated(body)(messages / BURST);
  return [
    ...stages,
    // What was sealed is sealed again, which costs the same.
    {
      name: `seal ${BURST} frames together: ${name}`,
      run: inBursts(() => sealFrames.call(aead, burst, 0, burst.length)),
    },
    {
      name: `open ${BURST} frames together: ${name}`,
      run: inBursts(() => void openFrames.call(aead, received, 0, 0, sessionId)),
    },
  ];
}
