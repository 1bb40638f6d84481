/*
 * GHASH (section 6.4) of the blocks X1..Xn is X1*H^n + X2*H^(n-1) + ... + Xn*H. Each power of H has a table of what it gives with
 * each of the sixteen half bytes. It is stored by columns: column c holds byte c of all sixteen products, so one swizzle of it
 * gives byte c of the products with sixteen half bytes of a block. Products are summed up over all blocks first and reduced
 * modulo x^128 + x^7 + x^2 + x + 1 once.
 *
 * For a long burst there are tables of whole bytes too, one product behind the other, which take a third of the steps. What is looked up in
 * them must be public.
 */

import { BLOCK, POWERS, hashedAt, places } from './layout';
import { multiply, multiplyPublic } from './products';
import { learn, learnBytes } from './tables';

/** Section 7.1, step 5: the blocks that are hashed, and their number. */
export function gather(additionalData: usize, additionalDataBytes: usize, text: usize, bytes: usize): usize {
  let to = pad(additionalData, additionalDataBytes, hashedAt);
  to = pad(text, bytes, to);
  store<u64>(to, bswap<u64>(<u64>additionalDataBytes << 3));
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
  v128.store(to, v128.and(v128.load(from), i8x16.lt_u(places(), i8x16.splat(<i8>bytes))));
  return to + BLOCK;
}

/** GHASH of the gathered blocks. */
export function ghash(key: usize, blocks: usize, isLong: bool): v128 {
  // A chained hash would be secret, so byte tables are for one group alone.
  if (isLong && blocks <= POWERS) {
    learnBytes(key, blocks);
    return multiplyPublic(hashedAt, blocks);
  }
  learn(key, min(blocks, POWERS));
  let from = hashedAt;
  let group = (blocks - 1) % POWERS + 1;
  let hash = multiply(from, group, key);
  while (blocks > group) {
    from += group * BLOCK;
    blocks -= group;
    group = POWERS;
    v128.store(from, v128.xor(v128.load(from), hash));
    hash = multiply(from, group, key);
    v128.store(from, i64x2.splat(0));
  }
  return hash;
}
