/*
 * The field of GHASH (section 6.3): polynomials modulo x^128 + x^7 + x^2 + x + 1. In a block the first bit, which is the highest of byte 0,
 * is the coefficient of x^0. So multiplication by x moves bits to the right in a byte and on to the highest bit of the next byte.
 */

/** Moves `bytes` by one place; the last byte of `before` comes in. */
export function nextPlace(before: v128, bytes: v128): v128 {
  return i8x16.shuffle(before, bytes, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30);
}

/** Multiplication by x^n for n of 1 to 7; what `before` loses comes in. */
export function shift(before: v128, bytes: v128, n: i32): v128 {
  const kept = i8x16.splat(<i8>(0xff >> n));
  const moved = v128.and(i16x8.shr_u(bytes, n), kept);
  return v128.or(moved, v128.andnot(i16x8.shl(nextPlace(before, bytes), 8 - n), kept));
}

/** low + high * x^128 modulo the polynomial, for a `high` that is of degree 123 at most: x^128 = x^7 + x^2 + x + 1. */
export function reduce(low: v128, high: v128): v128 {
  const zero = i64x2.splat(0);
  // Times x^7 the last byte of `high` leaves the block again; what it comes back as is added before.
  const left = i8x16.shuffle(high, zero, 15, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16);
  const all = v128.xor(high, i8x16.add(left, left));
  const times1 = v128.xor(all, shift(zero, all, 1));
  return v128.xor(v128.xor(low, times1), v128.xor(shift(zero, all, 2), shift(zero, all, 7)));
}

/** Section 6.3: x^127 becomes x^7 + x^2 + x + 1, which is 0xe1 in the first byte. */
export function timesX(power: v128): v128 {
  const zero = i64x2.splat(0);
  const left = i8x16.shuffle(power, zero, 15, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16);
  const polynomial = i8x16(-31, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
  const isLeft = i8x16.eq(v128.and(left, i8x16.splat(1)), i8x16.splat(1));
  return v128.xor(shift(zero, power, 1), v128.and(isLeft, polynomial));
}
