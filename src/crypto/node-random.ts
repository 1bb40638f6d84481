import { randomFillSync } from 'node:crypto';

const drawn = new Uint8Array(4096);
/** Who needs more than this at once gets its own. */
const MAX_SHARE = 256;
/** So many of the drawn bytes are left. */
let left = 0;

/** Random bytes, drawn many at a time, since a draw costs as much as a frame. Each is handed out once and then overwritten. */
export function randomBytes(length: number): Uint8Array {
  if (!(Number.isInteger(length) && length >= 0 && length <= MAX_SHARE)) return randomFillSync(new Uint8Array(length));
  if (length > left) {
    randomFillSync(drawn);
    left = drawn.length;
  }
  left -= length;
  const bytes = drawn.slice(left, left + length);
  drawn.fill(0, left, left + length);
  return bytes;
}
