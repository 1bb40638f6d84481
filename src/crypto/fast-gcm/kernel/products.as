import { nextPlace, reduce, shift } from './field';
import { BLOCK, BYTE_TABLE, TABLE, byteTablesAt } from './layout';

/** The sum of the products of n blocks with H^n .. H, reduced. */
export function multiply(blocks: usize, n: usize, tables: usize): v128 {
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

/**
 * The same for n of `POWERS` at most by the byte tables: one lookup a byte, at an address that depends on the byte. So none of the blocks
 * may be secret, as headers and ciphertext are not.
 */
export function multiplyPublic(blocks: usize, n: usize): v128 {
  const zero = i64x2.splat(0);
  let low = zero;
  let high = zero;
  for (let half: isize = 8; half >= 0; half -= 8) {
    let a0 = zero;
    let a1 = zero;
    let a2 = zero;
    let a3 = zero;
    let a4 = zero;
    let a5 = zero;
    let a6 = zero;
    let a7 = zero;
    let block = blocks + half;
    for (let table = byteTablesAt + (n - 1) * BYTE_TABLE; table >= byteTablesAt; table -= BYTE_TABLE) {
      a0 = v128.xor(a0, v128.load(table + ((<usize>load<u8>(block)) << 4)));
      a1 = v128.xor(a1, v128.load(table + ((<usize>load<u8>(block, 1)) << 4)));
      a2 = v128.xor(a2, v128.load(table + ((<usize>load<u8>(block, 2)) << 4)));
      a3 = v128.xor(a3, v128.load(table + ((<usize>load<u8>(block, 3)) << 4)));
      a4 = v128.xor(a4, v128.load(table + ((<usize>load<u8>(block, 4)) << 4)));
      a5 = v128.xor(a5, v128.load(table + ((<usize>load<u8>(block, 5)) << 4)));
      a6 = v128.xor(a6, v128.load(table + ((<usize>load<u8>(block, 6)) << 4)));
      a7 = v128.xor(a7, v128.load(table + ((<usize>load<u8>(block, 7)) << 4)));
      block += BLOCK;
    }
    high = nextPlace(low, high);
    low = v128.xor(nextPlace(zero, low), a7);
    high = nextPlace(low, high);
    low = v128.xor(nextPlace(zero, low), a6);
    high = nextPlace(low, high);
    low = v128.xor(nextPlace(zero, low), a5);
    high = nextPlace(low, high);
    low = v128.xor(nextPlace(zero, low), a4);
    high = nextPlace(low, high);
    low = v128.xor(nextPlace(zero, low), a3);
    high = nextPlace(low, high);
    low = v128.xor(nextPlace(zero, low), a2);
    high = nextPlace(low, high);
    low = v128.xor(nextPlace(zero, low), a1);
    high = nextPlace(low, high);
    low = v128.xor(nextPlace(zero, low), a0);
  }
  return reduce(low, high);
}
