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
  if (end - start >= WORDWISE_FROM_BYTES) {
    at = end - ((end - start) % WORDS_BYTES);
    crc = wordwise(viewOf(bytes), start, at, crc);
  }
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

/** Eight words. */
const WORDS_BYTES = 32;

/** Where a DataView that has to be made first still pays. */
const WORDWISE_FROM_BYTES = 256;

/** x^15 + x + 1 in the order of the CRC: the highest bit is x^0. */
const TRINOMIAL = 0xc001;

/**
 * The CRC of whole groups of eight words, at least one. The polynomial is (x + 1)(x^15 + x + 1), so a CRC is known by its remainder
 * modulo the trinomial and by its parity, which is that of all bits. Squared four times the trinomial is x^240 + x^16 + 1: a
 * word is as good as itself 224 and 240 bits later, so eight words take in eight more after them, and tables are needed
 * for the last eight alone.
 */
function wordwise(view: DataView, start: number, end: number, crc: number): number {
  // Half of this word is what the first one takes in.
  let a = crc << 16;
  let b = 0;
  let c = 0;
  let d = 0;
  let e = 0;
  let f = 0;
  let g = 0;
  let h = 0;
  let all = crc;
  for (let at = start; at < end; at += WORDS_BYTES) {
    const a1 = view.getInt32(at, true);
    const b1 = view.getInt32(at + 4, true);
    const c1 = view.getInt32(at + 8, true);
    const d1 = view.getInt32(at + 12, true);
    const e1 = view.getInt32(at + 16, true);
    const f1 = view.getInt32(at + 20, true);
    const g1 = view.getInt32(at + 24, true);
    const h1 = view.getInt32(at + 28, true);
    all ^= a1 ^ b1 ^ c1 ^ d1 ^ e1 ^ f1 ^ g1 ^ h1;
    a = a1 ^ (a >>> 16) ^ b ^ (b << 16);
    b = b1 ^ (b >>> 16) ^ c ^ (c << 16);
    c = c1 ^ (c >>> 16) ^ d ^ (d << 16);
    d = d1 ^ (d >>> 16) ^ e ^ (e << 16);
    e = e1 ^ (e >>> 16) ^ f ^ (f << 16);
    f = f1 ^ (f >>> 16) ^ g ^ (g << 16);
    g = g1 ^ (g >>> 16) ^ h ^ (h << 16);
    h = h1 ^ (h >>> 16) ^ a ^ (a << 16);
  }
  // The first word had gone into the last one already, for those to come.
  h ^= a ^ (a << 16);
  const remainder = twoWords(twoWords(twoWords(twoWords(0, a, b), c, d), e, f), g, h);
  return parity(remainder ^ all) === 0 ? remainder : remainder ^ TRINOMIAL;
}

function twoWords(crc: number, first: number, second: number): number {
  first ^= crc;
  return (
    (tables[1792 + (first & 0xff)] as number) ^
    (tables[1536 + ((first >>> 8) & 0xff)] as number) ^
    (tables[1280 + ((first >>> 16) & 0xff)] as number) ^
    (tables[1024 + (first >>> 24)] as number) ^
    (tables[768 + (second & 0xff)] as number) ^
    (tables[512 + ((second >>> 8) & 0xff)] as number) ^
    (tables[256 + ((second >>> 16) & 0xff)] as number) ^
    (tables[second >>> 24] as number)
  );
}

function parity(word: number): number {
  word ^= word >>> 16;
  word ^= word >>> 8;
  word ^= word >>> 4;
  return (0x6996 >>> (word & 0xf)) & 1;
}

/** The frames of a burst stand in one array. */
let viewed: Uint8Array = new Uint8Array();
let view = new DataView(viewed.buffer);

function viewOf(bytes: Uint8Array): DataView {
  if (bytes !== viewed) {
    view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    viewed = bytes;
  }
  return view;
}
