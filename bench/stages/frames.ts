import { nodeCrypto } from '../../src/crypto/node.js';
import { crc16 } from '../../src/protocol/crc16.js';
import { FrameDecoder } from '../../src/protocol/frame-decoder.js';
import { PacketType } from '../../src/protocol/packet-type.js';
import { FrameOpener, FrameSealer, sealedFrameBytes } from '../../src/protocol/sealed-frame.js';
import { KEY_BYTES, SESSION_ID_BYTES } from '../../src/protocol/sizes.js';
import { withoutAead } from '../no-aead.mjs';
import { BURST, repeated, type Stage } from './stage.js';

const sessionId = new Uint8Array(SESSION_ID_BYTES);
const aead = withoutAead(nodeCrypto).aead('aes-256-gcm', new Uint8Array(KEY_BYTES));

/** What a frame costs beside the AEAD. */
export function frameStages(bytes: number): Stage[] {
  const frameBytes = sealedFrameBytes(bytes);
  const plaintext = new Uint8Array(bytes);
  const chunk = new Uint8Array(BURST * frameBytes);
  const sealBurst = (): void => {
    const sealer = new FrameSealer(aead, sessionId);
    for (let n = 0; n < BURST; n++) sealer.seal(PacketType.DATA, plaintext, chunk, n * frameBytes);
  };
  sealBurst();
  return [
    { name: 'CRC-16 of the frame', run: repeated(() => void crc16(chunk, 0, frameBytes)) },
    {
      name: 'frame out: header, nonce, CRC, copy',
      run: (messages) => repeated(sealBurst)(messages / BURST),
    },
    {
      name: 'frame in: decode, CRC, sequence number, nonce, copy',
      run: (messages) =>
        repeated(() => {
          const decoder = new FrameDecoder();
          const opener = new FrameOpener(aead, sessionId);
          decoder.push(chunk);
          for (let frame = decoder.next(); frame; frame = decoder.next()) opener.open(frame);
        })(messages / BURST),
    },
  ];
}
