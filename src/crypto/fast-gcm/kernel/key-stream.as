import { AHEAD, AHEAD_BLOCKS, AHEAD_TEXTS, BLOCK, NEXT, TEXTS, TEXT_BLOCKS, blocksAt, blocksIn } from './layout';

/** Where the key stream of what is loaded begins and ends, J0 first, and for how many texts more there is some behind it. */
export let keyStreamAt: usize = 0;
let keyStreamEnd: usize = 0;
let textsMore: usize = 0;

/**
 * Begins counter blocks, which stand behind one zero block for H; gives where, or 0 where the key stream is there already. `countUp` them
 * for each text, then `finish`.
 *
 * What a text that comes alone costs is the call of AES most of all. So where its nonce is that of the last one, which came alone
 * too, plus one, key stream for the next ones is made in the same call. The number is in the first four bytes, the lowest first.
 */
export function begin(key: usize, isAlone: bool, nonce: v128, bytes: usize): usize {
  textsMore = 0;
  if (isAlone) {
    // In place of a counter what tells it from no nonce.
    nonce = i32x4.replace_lane(nonce, 3, 1);
    const blocks = blocksIn(bytes) + 1;
    const isOther = v128.any_true(v128.xor(nonce, v128.load(key, NEXT)));
    v128.store(key, after(nonce), NEXT);
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
  return keyStreamAt;
}

/** J0 and what is counted up from it (section 7.1, steps 2 and 3); gives where that ends. */
export function countUp(block: usize, nonce: v128, blocks: usize): usize {
  for (let counter: u32 = 1; counter <= <u32>blocks; counter++) {
    v128.store(block, i32x4.replace_lane(nonce, 3, bswap(counter)));
    block += BLOCK;
  }
  return block;
}

/** Adds the counter blocks of texts to come, and gives the number of all blocks. */
export function finish(key: usize, block: usize): usize {
  keyStreamEnd = block;
  let nonce = v128.load(key, NEXT);
  for (let text: usize = 0; text < textsMore; text++) {
    block = countUp(block, nonce, (keyStreamEnd - keyStreamAt) / BLOCK);
    nonce = after(nonce);
  }
  return (block - blocksAt) / BLOCK;
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
export function keepAhead(key: usize): void {
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
export function forgetAhead(key: usize): void {
  memory.fill(key + AHEAD, 0, <usize>load<u32>(key, TEXTS) * <usize>load<u32>(key, TEXT_BLOCKS) * BLOCK);
  store<u32>(key, 0, TEXTS);
}

export function wipeKeyStream(): void {
  memory.fill(keyStreamAt, 0, keyStreamEnd - keyStreamAt);
  v128.store(blocksAt, i64x2.splat(0));
}

/** CTR mode (section 6.5). Up to 15 bytes behind the result are changed. */
export function xor(text: usize, bytes: usize, keyStream: usize, to: usize): void {
  for (let at: usize = 0; at < bytes; at += BLOCK) {
    v128.store(to + at, v128.xor(v128.load(text + at), v128.load(keyStream + at)));
  }
}
