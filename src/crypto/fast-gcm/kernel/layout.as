/* What stands where in the memory of the kernel. Lengths and places are in bytes. */

export const BLOCK: usize = 16;
export const COLUMNS: usize = 16;
export const TABLE: usize = COLUMNS * BLOCK;

/** A longer GHASH is worked off in groups of as many blocks. A whole frame has 31. */
export const POWERS: usize = 32;

/** The most key stream that is made ahead for a key, and for how many texts. */
export const AHEAD_BLOCKS: usize = 128;
export const AHEAD_TEXTS: usize = 16;

/** The products of one power with all bytes. */
export const BYTE_TABLE: usize = 256 * BLOCK;

/**
 * A slot has what belongs to one key: tables of H, H^2, ..., then these powers, then how many they are. Then for texts that come
 * alone: the nonce that is expected next, and key stream from it on: for so many texts of so many blocks.
 */
export const POWER: usize = POWERS * TABLE;
export const KNOWN: usize = POWER + POWERS * BLOCK;
export const TEXTS: usize = KNOWN + 4;
export const TEXT_BLOCKS: usize = KNOWN + 8;
export const NEXT: usize = KNOWN + BLOCK;
export const AHEAD: usize = NEXT + BLOCK;
export const SLOT: usize = AHEAD + AHEAD_BLOCKS * BLOCK;

export const slotCount: usize = 256;
/** Of what is loaded at once. */
export const byteLimit: usize = 98304;

/** What is before belongs to the compiler. */
export const slotsAt: usize = 1024;
/** H times x^0 .. x^3 while a table is made of it. */
export const multiplesAt: usize = slotsAt + slotCount * SLOT;
/** For the key that had the last long burst, for each power of H: its products with all bytes. */
export const byteTablesAt: usize = multiplesAt + 4 * BLOCK;
/** Counter blocks, later the key stream; the first is zero, later H. Key stream made ahead is at the end. */
export const blocksAt: usize = byteTablesAt + POWERS * BYTE_TABLE;
/** What GHASH takes in of one text: additional data and ciphertext, both filled up to whole blocks, and their lengths. */
export const hashedAt: usize = blocksAt + byteLimit + (AHEAD_BLOCKS + 4) * BLOCK;
/** What is loaded: frames, or a nonce, additional data, a text and its tag. */
export const bytesAt: usize = hashedAt + byteLimit + 4 * BLOCK;
/** What was opened, one text behind the other. */
export const openedAt: usize = bytesAt + byteLimit + BLOCK;
/** How many bytes the frames take that `stage` or `check` found. */
export const foundAt: usize = openedAt + byteLimit + BLOCK;
/** For each frame that was opened its type, and from bit 16 on the length of its text. The shortest frame has 40 bytes. */
export const recordsAt: usize = foundAt + 4;
export const memoryEnd: usize = recordsAt + (byteLimit / 40) * 4;

export function slotAt(slot: i32): usize {
  return slotsAt + <usize>slot * SLOT;
}

export function blocksIn(bytes: usize): usize {
  return (bytes + BLOCK - 1) / BLOCK;
}

export function places(): v128 {
  return i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}
