import { utf8 } from '../protocol/bytes.js';
import { PayloadError } from '../protocol/errors.js';
import { checkMessageLength } from '../protocol/fragmentation.js';

/**
 * The bytes of what a user sends; a text means its UTF-8 bytes.
 * @throws PayloadError `PAYLOAD_TYPE`, or `PAYLOAD_TOO_LARGE` above 1808 bytes
 */
export function encodeMessage(data: unknown): Uint8Array {
  const message = typeof data === 'string' ? utf8(data) : data;
  if (!(message instanceof Uint8Array)) {
    throw new PayloadError('PAYLOAD_TYPE', `a message is a Uint8Array or a string, got ${typeof data}`, {
      origin: 'local',
    });
  }
  checkMessageLength(message.length);
  return message;
}
