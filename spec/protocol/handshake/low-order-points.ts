import { fromHex } from '../../vectors.js';

/** The u-coordinates of all points of low order on Curve25519 and its twist, in every encoding of 255 bits. */
const encodings = [
  '0000000000000000000000000000000000000000000000000000000000000000', // 0
  '0100000000000000000000000000000000000000000000000000000000000000', // 1
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800', // order 8
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157', // order 8
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f', // p - 1
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f', // p = 0
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f', // p + 1 = 1
].map(fromHex);

/** X25519 ignores the top bit, so each has a twin (RFC 7748 section 5). */
const withTopBit = encodings.map((u) => Uint8Array.from(u, (byte, at) => (at === 31 ? byte | 0x80 : byte)));

export const LOW_ORDER_POINTS: readonly Uint8Array[] = [...encodings, ...withTopBit];
