import { PayloadError } from './errors.js';
import { PacketType, type SealedType } from './packet-type.js';
import { sealedFrameBytes } from './sealed-frame.js';
import { MAX_MESSAGE_BYTES, MAX_PLAINTEXT_BYTES } from './sizes.js';

/**
 * Refuses a message that is too long, before anything is sealed (protocol.md section 6).
 * @throws PayloadError `PAYLOAD_TOO_LARGE`
 */
export function checkMessageLength(bytes: number): void {
  if (bytes <= MAX_MESSAGE_BYTES) return;
  throw new PayloadError('PAYLOAD_TOO_LARGE', `message of ${bytes} bytes, at most ${MAX_MESSAGE_BYTES} fit`, {
    origin: 'local',
  });
}

/** How many frames a message of 0 to 1808 bytes takes: 1 to 4. */
export const fragmentCount = (messageBytes: number): number =>
  Math.max(1, Math.ceil(messageBytes / MAX_PLAINTEXT_BYTES));

/** The length in bytes of all frames of a message, sealed. */
export const sealedMessageBytes = (messageBytes: number): number =>
  messageBytes + fragmentCount(messageBytes) * sealedFrameBytes(0);

/** Calls `each` with the type and the plaintext of every frame of a message, in order; the plaintexts are views. */
export function forEachFragment(message: Uint8Array, each: (type: SealedType, plaintext: Uint8Array) => void): void {
  let at = 0;
  for (; message.length - at > MAX_PLAINTEXT_BYTES; at += MAX_PLAINTEXT_BYTES) {
    each(PacketType.DATA_FRAG, message.subarray(at, at + MAX_PLAINTEXT_BYTES));
  }
  each(PacketType.DATA, at === 0 ? message : message.subarray(at));
}
