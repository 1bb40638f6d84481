/*
 * GCM (NIST SP 800-38D) without its block cipher, in AssemblyScript with 128-bit vectors. The caller encrypts the counter blocks
 * that `counters` writes, with AES in ECB mode, and puts the result in their place; `seal` and `open` do the rest: XOR and GHASH.
 *
 * Constant time: no branch and no address depends on a key, on the hash subkey H, on a hash or on a plaintext; they depend on
 * lengths, nonces, on how many powers of H are known and on verdicts, all of which are public. The lookups of GHASH are `swizzle`, which
 * looks up sixteen bytes at once inside a register.
 *
 * GHASH (section 6.4) of the blocks X1..Xn is X1*H^n + X2*H^(n-1) + ... + Xn*H. Each power of H has a table of what it gives with
 * each of the sixteen half bytes. It is stored by columns: column c holds byte c of all sixteen products, so one swizzle of it
 * gives byte c of the products with sixteen half bytes of a block. Products are summed up over all blocks first and reduced
 * modulo x^128 + x^7 + x^2 + x + 1 once.
 *
 * In a block the first bit, which is the highest of byte 0, is the coefficient of x^0 (section 6.3). So multiplication by x moves
 * bits to the right in a byte and on to the highest bit of the next byte.
 */

const BLOCK: usize = 16;
const COLUMNS: usize = 16;
const TABLE: usize = COLUMNS * BLOCK;

/** A longer GHASH is worked off in groups of as many blocks. */
const POWERS: usize = 16;

/** The most key stream that is made ahead for a key, and for how many texts. */
const AHEAD_BLOCKS: usize = 128;
const AHEAD_TEXTS: usize = 16;

/**
 * A slot has what belongs to one key: tables of H, H^2, ..., then the highest of these powers, then how many they are. Then for
 * texts that come alone: the nonce that is expected next, and key stream from it on: for so many texts of so many blocks.
 */
const HIGHEST: usize = POWERS * TABLE;
const KNOWN: usize = HIGHEST + BLOCK;
const TEXTS: usize = KNOWN + 4;
const TEXT_BLOCKS: usize = KNOWN + 8;
const NEXT: usize = KNOWN + BLOCK;
const AHEAD: usize = NEXT + BLOCK;
const SLOT: usize = AHEAD + AHEAD_BLOCKS * BLOCK;

/** One text of a batch: five numbers as in `AeadBatch`. */
const RANGE: usize = 20;

export const slotCount: usize = 256;
export const textLimit: usize = 1024;
export const blockLimit: usize = 8192;
export const byteLimit: usize = 98304;

/** What is before belongs to the compiler. */
const slotsAt: usize = 1024;
/** H times x^0 .. x^3 while a table is made of it. */
const multiplesAt: usize = slotsAt + slotCount * SLOT;
export const rangesAt: usize = multiplesAt + 4 * BLOCK;
/** A byte for each text: 1 where its tag is right. */
export const verdictsAt: usize = rangesAt + textLimit * RANGE;
/** Counter blocks, later the key stream; the first is zero, later H. Key stream made ahead is at the end. */
export const blocksAt: usize = verdictsAt + textLimit;
/** What GHASH takes in of one text: additional data and ciphertext, both filled up to whole blocks, and their lengths. */
const hashedAt: usize = blocksAt + blockLimit * BLOCK;
export const bytesAt: usize = hashedAt + 2 * byteLimit + 3 * BLOCK;

/** Where the key stream of what is loaded begins and ends, J0 first, and for how many texts more there is some behind it. */
let keyStreamAt: usize = 0;
let keyStreamEnd: usize = 0;
let textsMore: usize = 0;

/**
 * Writes the counter blocks of the first `count` texts, behind one zero block for H. Gives their number, 0 where the key stream is
 * there already. `base` is added to the indices of the ranges.
 *
 * What a text that comes alone costs is the call of AES most of all. So where its nonce is that of the last one, which came alone
 * too, plus one, key stream for the next ones is made in the same call. The number is in the first four bytes, the lowest first.
 */
export function counters(slot: i32, base: usize, count: i32): usize {
  const key = slotAt(slot);
  textsMore = 0;
  if (count === 1) {
    // In place of a counter what tells it from no nonce.
    const nonce = i32x4.replace_lane(v128.load(base + load<u32>(rangesAt, 8)), 3, 1);
    const isOther = v128.any_true(v128.xor(nonce, v128.load(key, NEXT)));
    v128.store(key, after(nonce), NEXT);
    const blocks = blocksIn(<usize>load<u32>(rangesAt, 16)) + 1;
    if (isOther) {
      forgetAhead(key);
    } else {
      if (takeAhead(key, blocks)) return 0;
      textsMore = min(AHEAD_BLOCKS / blocks, AHEAD_TEXTS);
    }
  } else {
    forgetAhead(key);
    v128.store(key, i64x2.splat(0), NEXT);
  }
  v128.store(blocksAt, i64x2.splat(0));
  keyStreamAt = blocksAt + BLOCK;
  let block = keyStreamAt;
  for (let range = rangesAt, end = rangesAt + <usize>count * RANGE; range < end; range += RANGE) {
    block = countUp(block, v128.load(base + load<u32>(range, 8)), blocksIn(<usize>load<u32>(range, 16)) + 1);
  }
  keyStreamEnd = block;
  let nonce = v128.load(key, NEXT);
  for (let text: usize = 0; text < textsMore; text++) {
    block = countUp(block, nonce, (keyStreamEnd - keyStreamAt) / BLOCK);
    nonce = after(nonce);
  }
  return (block - blocksAt) / BLOCK;
}

/** J0 and what is counted up from it (section 7.1, steps 2 and 3); gives where that ends. */
function countUp(block: usize, nonce: v128, blocks: usize): usize {
  for (let counter: u32 = 1; counter <= <u32>blocks; counter++) {
    v128.store(block, i32x4.replace_lane(nonce, 3, bswap(counter)));
    block += BLOCK;
  }
  return block;
}

function after(nonce: v128): v128 {
  return i32x4.add(nonce, i32x4(1, 0, 0, 0));
}

/** Whether the key stream of a text was made ahead and is long enough; if not, none is left. */
function takeAhead(key: usize, blocks: usize): bool {
  const texts = <usize>load<u32>(key, TEXTS);
  const size = <usize>load<u32>(key, TEXT_BLOCKS);
  if (texts === 0 || blocks > size) {
    forgetAhead(key);
    return false;
  }
  // The last first: where they begin needs not be known then.
  store<u32>(key, <u32>(texts - 1), TEXTS);
  keyStreamAt = key + AHEAD + (texts - 1) * size * BLOCK;
  keyStreamEnd = keyStreamAt + size * BLOCK;
  return true;
}

/** Moves the key stream that was made ahead to the slot of its key. */
function keepAhead(key: usize): void {
  if (textsMore === 0) return;
  const bytes = keyStreamEnd - keyStreamAt;
  let from = keyStreamEnd;
  for (let text = textsMore; text > 0; text--) {
    memory.copy(key + AHEAD + (text - 1) * bytes, from, bytes);
    from += bytes;
  }
  memory.fill(keyStreamEnd, 0, from - keyStreamEnd);
  store<u32>(key, <u32>textsMore, TEXTS);
  store<u32>(key, <u32>(bytes / BLOCK), TEXT_BLOCKS);
  textsMore = 0;
}

/** Overwrites key stream that will not be used. */
function forgetAhead(key: usize): void {
  memory.fill(key + AHEAD, 0, <usize>load<u32>(key, TEXTS) * <usize>load<u32>(key, TEXT_BLOCKS) * BLOCK);
  store<u32>(key, 0, TEXTS);
}

/** Section 7.1: each text becomes ciphertext, its tag goes behind it. */
export function seal(slot: i32, base: usize, count: i32): void {
  const tables = slotAt(slot);
  keepAhead(tables);
  let keyStream = keyStreamAt;
  let longest: usize = 0;
  for (let range = rangesAt, end = rangesAt + <usize>count * RANGE; range < end; range += RANGE) {
    const text = base + load<u32>(range, 12);
    const bytes = <usize>load<u32>(range, 16);
    xor(text, bytes, keyStream + BLOCK);
    const blocks = gather(base, range);
    const hash = ghash(tables, blocks);
    // Also over what the last block wrote too much.
    v128.store(text + bytes, v128.xor(hash, v128.load(keyStream)));
    keyStream += (1 + blocksIn(bytes)) * BLOCK;
    longest = max(longest, blocks);
  }
  wipeKeyStream();
  memory.fill(hashedAt, 0, longest * BLOCK);
}

/** Section 7.2: a text whose tag is right becomes plaintext and its verdict 1, any other stays as it is. */
export function open(slot: i32, base: usize, count: i32): void {
  const tables = slotAt(slot);
  keepAhead(tables);
  let keyStream = keyStreamAt;
  let longest: usize = 0;
  let verdict = verdictsAt;
  for (let range = rangesAt, end = rangesAt + <usize>count * RANGE; range < end; range += RANGE) {
    const text = base + load<u32>(range, 12);
    const bytes = <usize>load<u32>(range, 16);
    const blocks = gather(base, range);
    const tag = v128.xor(ghash(tables, blocks), v128.load(keyStream));
    const isRight = !v128.any_true(v128.xor(tag, v128.load(text + bytes)));
    if (isRight) xor(text, bytes, keyStream + BLOCK);
    store<u8>(verdict++, isRight);
    keyStream += (1 + blocksIn(bytes)) * BLOCK;
    longest = max(longest, blocks);
  }
  wipeKeyStream();
  memory.fill(hashedAt, 0, longest * BLOCK);
}

function wipeKeyStream(): void {
  memory.fill(keyStreamAt, 0, keyStreamEnd - keyStreamAt);
  v128.store(blocksAt, i64x2.splat(0));
}

/** Overwrites what a slot has of a key. */
export function clear(slot: i32): void {
  const key = slotAt(slot);
  forgetAhead(key);
  memory.fill(key, 0, <usize>load<u32>(key, KNOWN) * TABLE);
  memory.fill(key + HIGHEST, 0, AHEAD - HIGHEST);
}

function slotAt(slot: i32): usize {
  return slotsAt + <usize>slot * SLOT;
}

function blocksIn(bytes: usize): usize {
  return (bytes + BLOCK - 1) / BLOCK;
}

/** CTR mode (section 6.5), in place. Up to 15 bytes behind the text are changed. */
function xor(text: usize, bytes: usize, keyStream: usize): void {
  for (let at: usize = 0; at < bytes; at += BLOCK) {
    v128.store(text + at, v128.xor(v128.load(text + at), v128.load(keyStream + at)));
  }
}

/** Section 7.1, step 5: the blocks that are hashed, and their number. */
function gather(base: usize, range: usize): usize {
  const additionalBytes = <usize>load<u32>(range, 4);
  const bytes = <usize>load<u32>(range, 16);
  let to = pad(base + load<u32>(range), additionalBytes, hashedAt);
  to = pad(base + load<u32>(range, 12), bytes, to);
  store<u64>(to, bswap<u64>(<u64>additionalBytes << 3));
  store<u64>(to, bswap<u64>(<u64>bytes << 3), 8);
  return (to - hashedAt) / BLOCK + 1;
}

/** Copies bytes and fills their last block up with zeros; gives where that ends. */
function pad(from: usize, bytes: usize, to: usize): usize {
  for (; bytes >= BLOCK; bytes -= BLOCK) {
    v128.store(to, v128.load(from));
    from += BLOCK;
    to += BLOCK;
  }
  if (bytes === 0) return to;
  const places = i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  v128.store(to, v128.and(v128.load(from), i8x16.lt_u(places, i8x16.splat(<i8>bytes))));
  return to + BLOCK;
}

/** GHASH of the gathered blocks. */
function ghash(tables: usize, blocks: usize): v128 {
  learn(tables, min(blocks, POWERS));
  let hash = i64x2.splat(0);
  let from = hashedAt;
  while (blocks > 0) {
    const group = (blocks - 1) % POWERS + 1;
    v128.store(from, v128.xor(v128.load(from), hash));
    hash = multiply(from, group, tables);
    from += group * BLOCK;
    blocks -= group;
  }
  return hash;
}

/** The sum of the products of n blocks with H^n .. H, reduced. */
function multiply(blocks: usize, n: usize, tables: usize): v128 {
  const halfByte = i8x16.splat(0x0f);
  const zero = i64x2.splat(0);
  // Sums of 32 bytes: of the products with first half bytes, and of those with second ones, which lack the factor x^4.
  let first = zero;
  let firstHigh = zero;
  let second = zero;
  let secondHigh = zero;
  for (let column = TABLE; column > 0; ) {
    column -= 4 * BLOCK;
    let a0 = zero;
    let a1 = zero;
    let a2 = zero;
    let a3 = zero;
    let b0 = zero;
    let b1 = zero;
    let b2 = zero;
    let b3 = zero;
    let block = blocks;
    for (let table = tables + (n - 1) * TABLE + column; table >= tables; table -= TABLE) {
      const x = v128.load(block);
      const a = v128.and(i16x8.shr_u(x, 4), halfByte);
      const b = v128.and(x, halfByte);
      const t0 = v128.load(table);
      a0 = v128.xor(a0, i8x16.swizzle(t0, a));
      b0 = v128.xor(b0, i8x16.swizzle(t0, b));
      const t1 = v128.load(table, 16);
      a1 = v128.xor(a1, i8x16.swizzle(t1, a));
      b1 = v128.xor(b1, i8x16.swizzle(t1, b));
      const t2 = v128.load(table, 32);
      a2 = v128.xor(a2, i8x16.swizzle(t2, a));
      b2 = v128.xor(b2, i8x16.swizzle(t2, b));
      const t3 = v128.load(table, 48);
      a3 = v128.xor(a3, i8x16.swizzle(t3, a));
      b3 = v128.xor(b3, i8x16.swizzle(t3, b));
      block += BLOCK;
    }
    // Byte p of column c belongs to place c + p: from the last column on, all that is there moves by one place.
    firstHigh = nextPlace(first, firstHigh);
    first = v128.xor(nextPlace(zero, first), a3);
    firstHigh = nextPlace(first, firstHigh);
    first = v128.xor(nextPlace(zero, first), a2);
    firstHigh = nextPlace(first, firstHigh);
    first = v128.xor(nextPlace(zero, first), a1);
    firstHigh = nextPlace(first, firstHigh);
    first = v128.xor(nextPlace(zero, first), a0);
    secondHigh = nextPlace(second, secondHigh);
    second = v128.xor(nextPlace(zero, second), b3);
    secondHigh = nextPlace(second, secondHigh);
    second = v128.xor(nextPlace(zero, second), b2);
    secondHigh = nextPlace(second, secondHigh);
    second = v128.xor(nextPlace(zero, second), b1);
    secondHigh = nextPlace(second, secondHigh);
    second = v128.xor(nextPlace(zero, second), b0);
  }
  const low = v128.xor(first, shift(zero, second, 4));
  const high = v128.xor(firstHigh, shift(second, secondHigh, 4));
  return reduce(low, high);
}

/** Moves `bytes` by one place; the last byte of `before` comes in. */
function nextPlace(before: v128, bytes: v128): v128 {
  return i8x16.shuffle(before, bytes, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30);
}

/** Multiplication by x^n for n of 1 to 7; what `before` loses comes in. */
function shift(before: v128, bytes: v128, n: i32): v128 {
  const kept = i8x16.splat(<i8>(0xff >> n));
  const moved = v128.and(i16x8.shr_u(bytes, n), kept);
  return v128.or(moved, v128.andnot(i16x8.shl(nextPlace(before, bytes), 8 - n), kept));
}

/** low + high * x^128 modulo the polynomial, for a `high` that is of degree 123 at most: x^128 = x^7 + x^2 + x + 1. */
function reduce(low: v128, high: v128): v128 {
  const zero = i64x2.splat(0);
  // Times x^7 the last byte of `high` leaves the block again; what it comes back as is added before.
  const left = i8x16.shuffle(high, zero, 15, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16);
  const all = v128.xor(high, i8x16.add(left, left));
  const times1 = v128.xor(all, shift(zero, all, 1));
  return v128.xor(v128.xor(low, times1), v128.xor(shift(zero, all, 2), shift(zero, all, 7)));
}

/** Makes tables up to that of H^n; the first from H, which stands before the key stream. */
function learn(tables: usize, n: usize): void {
  let known = <usize>load<u32>(tables, KNOWN);
  if (known >= n) return;
  for (; known < n; known++) {
    const power = known === 0 ? v128.load(blocksAt) : multiply(tables + HIGHEST, 1, tables);
    v128.store(tables, power, HIGHEST);
    writeTable(tables + known * TABLE, power);
  }
  store<u32>(tables, <u32>known, KNOWN);
  memory.fill(multiplesAt, 0, 4 * BLOCK);
}

/** The sixteen sums of a power times x^0 .. x^3, by columns. The highest bit of a half byte is x^0. */
function writeTable(table: usize, power: v128): void {
  v128.store(multiplesAt, power);
  power = timesX(power);
  v128.store(multiplesAt, power, 16);
  power = timesX(power);
  v128.store(multiplesAt, power, 32);
  power = timesX(power);
  v128.store(multiplesAt, power, 48);
  const with0 = i8x16(0, 0, 0, 0, 0, 0, 0, 0, -1, -1, -1, -1, -1, -1, -1, -1);
  const with1 = i8x16(0, 0, 0, 0, -1, -1, -1, -1, 0, 0, 0, 0, -1, -1, -1, -1);
  const with2 = i8x16(0, 0, -1, -1, 0, 0, -1, -1, 0, 0, -1, -1, 0, 0, -1, -1);
  const with3 = i8x16(0, -1, 0, -1, 0, -1, 0, -1, 0, -1, 0, -1, 0, -1, 0, -1);
  for (let column: usize = 0; column < COLUMNS; column++) {
    const at = multiplesAt + column;
    const sum01 = v128.xor(v128.and(v128.load8_splat(at), with0), v128.and(v128.load8_splat(at, 16), with1));
    const sum23 = v128.xor(v128.and(v128.load8_splat(at, 32), with2), v128.and(v128.load8_splat(at, 48), with3));
    v128.store(table + column * BLOCK, v128.xor(sum01, sum23));
  }
}

/** Section 6.3: x^127 becomes x^7 + x^2 + x + 1, which is 0xe1 in the first byte. */
function timesX(power: v128): v128 {
  const zero = i64x2.splat(0);
  const left = i8x16.shuffle(power, zero, 15, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16);
  const polynomial = i8x16(-31, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
  const isLeft = i8x16.eq(v128.and(left, i8x16.splat(1)), i8x16.splat(1));
  return v128.xor(shift(zero, power, 1), v128.and(isLeft, polynomial));
}
