import { HEADER } from './frame';
import { BLOCK, places } from './layout';

/**
 * The CRC of a frame, protocol.md section 1. Its polynomial is (x + 1)(x^15 + x + 1), so it is known by its remainder modulo the
 * trinomial t and by its parity, which is that of all bits. t^8 is x^120 + x^8 + 1, so 128 bits later a block is what it is one and two
 * bytes later, and blocks need to be moved by whole bytes only. Here the first bit is the lowest of byte 0, and of the highest power.
 *
 * Zeros before the first byte change nothing, so blocks are cut from the end: what is left of the payload stands behind the ten
 * bytes of the header in one block or two.
 */
export function crc(frame: usize, payload: usize): u32 {
  const left = payload % BLOCK;
  const end = frame + HEADER + payload;
  let at = frame + HEADER + left;
  // The header is two bytes nearer, since the CRC itself is left out.
  const first = headerIn(v128.load(at - 2 * BLOCK - 2), 22 - <i32>left);
  const isPayload = i8x16.ge_s(places(), i8x16.splat(<i8>(16 - left)));
  const header = headerIn(v128.load(at - BLOCK - 2), 6 - <i32>left);
  const second = v128.bitselect(v128.load(at - BLOCK), header, isPayload);
  let sum = v128.xor(first, second);
  let block = v128.xor(second, afterBlock(first));
  for (; at < end; at += BLOCK) {
    const next = v128.load(at);
    sum = v128.xor(sum, next);
    block = v128.xor(next, afterBlock(block));
  }
  // The same by half the length again and again: t^4 = x^60 + x^4 + 1, t^2 = x^30 + x^2 + 1, t.
  const high = <u64>i64x2.extract_lane(block, 0);
  const over = (high << 56) ^ (high << 60);
  const bits64 = <u64>i64x2.extract_lane(block, 1) ^ (high >> 8) ^ (high >> 4) ^ (over >> 8) ^ (over >> 4);
  const high32 = <u32>bits64;
  const over32 = (high32 << 28) ^ (high32 << 30);
  const bits32 = <u32>(bits64 >> 32) ^ (high32 >> 4) ^ (high32 >> 2) ^ (over32 >> 4) ^ (over32 >> 2);
  // Times x^16, which a CRC is of what it is the CRC of.
  const crc = timesX16((bits32 >> 16) ^ timesX16(bits32 & 0xffff));
  const bits = <u64>i64x2.extract_lane(sum, 0) ^ <u64>i64x2.extract_lane(sum, 1) ^ <u64>crc;
  return <u32>popcnt<u64>(bits) & 1 ? crc ^ 0xc001 : crc;
}

/** Keeps the bytes from place `from` on, and turns the first two over, as the initial value does. */
function headerIn(bytes: v128, from: i32): v128 {
  const place = i8x16.sub(places(), i8x16.splat(<i8>from));
  const isFirst = i8x16.lt_u(place, i8x16.splat(2));
  return v128.and(v128.xor(bytes, isFirst), i8x16.ge_s(place, i8x16.splat(0)));
}

/** What a block is to one that stands behind it. */
function afterBlock(block: v128): v128 {
  const one = i8x16.swizzle(block, i8x16(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, -1));
  const two = i8x16.swizzle(block, i8x16(2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0, -1));
  const rest = i8x16.swizzle(block, i8x16(-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 0, 1, 1, -1));
  return v128.xor(v128.xor(one, two), rest);
}

/** Modulo t, where x^16 is x^2 + x. */
function timesX16(bits: u32): u32 {
  const over = ((bits << 14) ^ (bits << 15)) & 0xffff;
  return (bits >> 2) ^ (bits >> 1) ^ (over >> 2) ^ (over >> 1);
}
