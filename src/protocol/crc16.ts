const POLYNOMIAL = 0xa001;
const SLICES = 8;

/** `tables[k * 256 + b]` is what byte `b` does to the CRC when `k` more bytes follow it: slicing by eight. */
const tables = makeTables();

function makeTables(): Uint16Array {
  const made = new Uint16Array(SLICES * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    made[byte] = crc;
  }
  for (let at = 256; at < made.length; at++) {
    const before = made[at - 256] as number;
    made[at] = (before >>> 8) ^ (made[before & 0xff] as number);
  }
  return made;
}

/** What an empty input has, and what a computation starts from. */
export const CRC16_INITIAL = 0xffff;

/**
 * CRC-16 (MODBUS) of `bytes[start .. end)`, protocol.md section 1. Pass the result of one part as `crc` of the next.
 */
export function crc16(bytes: Uint8Array, start = 0, end = bytes.length, crc = CRC16_INITIAL): number {
  let at = start;
  for (; at + SLICES <= end; at += SLICES) {
    const low = crc ^ ((bytes[at] as number) | ((bytes[at + 1] as number) << 8));
    crc =
      (tables[1792 + (low & 0xff)] as number) ^
      (tables[1536 + (low >>> 8)] as number) ^
      (tables[1280 + (bytes[at + 2] as number)] as number) ^
      (tables[1024 + (bytes[at + 3] as number)] as number) ^
      (tables[768 + (bytes[at + 4] as number)] as number) ^
      (tables[512 + (bytes[at + 5] as number)] as number) ^
      (tables[256 + (bytes[at + 6] as number)] as number) ^
      (tables[bytes[at + 7] as number] as number);
  }
  // What is left, in as few steps as can be: most frames are short.
  if (at + 4 <= end) {
    const low = crc ^ ((bytes[at] as number) | ((bytes[at + 1] as number) << 8));
    crc =
      (tables[768 + (low & 0xff)] as number) ^
      (tables[512 + (low >>> 8)] as number) ^
      (tables[256 + (bytes[at + 2] as number)] as number) ^
      (tables[bytes[at + 3] as number] as number);
    at += 4;
  }
  if (at + 2 <= end) {
    const low = crc ^ ((bytes[at] as number) | ((bytes[at + 1] as number) << 8));
    crc = (tables[256 + (low & 0xff)] as number) ^ (tables[low >>> 8] as number);
    at += 2;
  }
  if (at < end) crc = (crc >>> 8) ^ (tables[(crc ^ (bytes[at] as number)) & 0xff] as number);
  return crc;
}
