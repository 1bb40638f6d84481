/*
 * Frames of USMP by the burst, sealed and opened with AES-256-GCM (NIST SP 800-38D) without its block cipher, in AssemblyScript with
 * 128-bit vectors. The caller encrypts the counter blocks that `stage`, `check` and `text` write, with AES in ECB mode, and puts the
 * result in their place; then frames or the text are sealed or opened: XOR, GHASH, CRC.
 *
 * Constant time: no branch and no address depends on a key, on the hash subkey H, on a hash or on a plaintext; they depend on
 * headers, ciphertext, lengths, nonces, CRCs, on how many powers of H are known and on verdicts, all of which are public. The lookups
 * of GHASH are `swizzle`, which looks up sixteen bytes at once inside a register, or, in long bursts, at addresses that depend on
 * headers and ciphertext.
 */

import { crc } from './crc';
import {
  ADDITIONAL_DATA,
  CRC,
  DATA,
  DATA_FRAG,
  HEADER,
  MAGIC_AND_VERSION,
  MAX_PAYLOAD,
  NONCE,
  OVERHEAD,
  SEQ,
  SEQ_LIMIT,
  TEXT,
  payloadOf,
} from './frame';
import { gather, ghash } from './ghash';
import { begin, countUp, finish, forgetAhead, keepAhead, keyStreamAt, wipeKeyStream, xor } from './key-stream';
import { AHEAD, BLOCK, KNOWN, POWER, TABLE, blocksIn, bytesAt, foundAt, openedAt, recordsAt, slotAt } from './layout';
import { forgetBytesOf } from './tables';

export { blocksAt, byteLimit, bytesAt, foundAt, memoryEnd, openedAt, recordsAt, slotCount } from './layout';

/** A burst of as many frames is worth tables of whole bytes. */
const LONG_BURST: usize = 32;

/** Where the frames end that `stage` or `check` found to be whole and right. */
let framesEnd: usize = 0;
/** Whether what is loaded is a long burst. */
let isLong: bool = false;

/**
 * Finds frames that are to be sealed in `bytes` bytes, as far as they are whole: each has its header without CRC, its nonce and its
 * plaintext. Writes their counter blocks and gives how many; see `begin`. How many bytes the frames take is at `foundAt`.
 */
export function stage(slot: i32, bytes: usize): usize {
  let frame = bytesAt;
  let frames: usize = 0;
  for (const end = bytesAt + bytes; frame + HEADER + OVERHEAD <= end; frames++) {
    const payload = payloadOf(frame);
    if (payload < OVERHEAD || payload > MAX_PAYLOAD || frame + HEADER + payload > end) break;
    frame += HEADER + payload;
  }
  return countersOfFrames(slot, frame, frames);
}

/**
 * The same for frames that were received, as far as they are data frames with everything right that can be seen without a key: their
 * numbers count up from `seq`, their nonces have it and the session's eight bytes.
 */
export function check(slot: i32, bytes: usize, seq: u32, id0: u32, id1: u32): usize {
  let frame = bytesAt;
  let frames: usize = 0;
  for (const end = bytesAt + bytes; frame + HEADER + OVERHEAD <= end; frames++) {
    const start = load<u32>(frame);
    const type = start >> 24;
    const payload = payloadOf(frame);
    if ((start & 0xffffff) !== MAGIC_AND_VERSION || (type !== DATA && type !== DATA_FRAG)) break;
    if (payload < OVERHEAD || payload > MAX_PAYLOAD || frame + HEADER + payload > end) break;
    if (load<u32>(frame, SEQ) !== seq || seq === SEQ_LIMIT) break;
    if (load<u32>(frame, HEADER) !== seq || load<u32>(frame, HEADER + 4) !== id0) break;
    if (load<u32>(frame, HEADER + 8) !== id1 || <u32>load<u16>(frame, CRC) !== crc(frame, payload)) break;
    frame += HEADER + payload;
    seq++;
  }
  return countersOfFrames(slot, frame, frames);
}

/** Of the frames that were found, which end at `end`. */
function countersOfFrames(slot: i32, end: usize, frames: usize): usize {
  framesEnd = end;
  isLong = frames >= LONG_BURST;
  store<u32>(foundAt, <u32>(end - bytesAt));
  if (frames === 0) return 0;
  const key = slotAt(slot);
  let block = begin(key, frames === 1, v128.load(bytesAt + HEADER), payloadOf(bytesAt) - OVERHEAD);
  if (block === 0) return 0;
  for (let frame = bytesAt; frame < end; frame += HEADER + payloadOf(frame)) {
    block = countUp(block, v128.load(frame + HEADER), blocksIn(payloadOf(frame) - OVERHEAD) + 1);
  }
  return finish(key, block);
}

/** The same for one text of `bytes` bytes: its nonce stands at the beginning of what is loaded. */
export function text(slot: i32, bytes: usize): usize {
  const key = slotAt(slot);
  isLong = false;
  const nonce = v128.load(bytesAt);
  const block = begin(key, true, nonce, bytes);
  return block === 0 ? 0 : finish(key, countUp(block, nonce, blocksIn(bytes) + 1));
}

/** Section 7.1: each plaintext becomes ciphertext, its tag goes behind it, the CRC into the header. */
export function sealFrames(slot: i32): void {
  const key = slotAt(slot);
  keepAhead(key);
  let keyStream = keyStreamAt;
  for (let frame = bytesAt; frame < framesEnd; ) {
    const payload = payloadOf(frame);
    const bytes = payload - OVERHEAD;
    sealAt(key, frame, ADDITIONAL_DATA, frame + TEXT, bytes, keyStream);
    store<u16>(frame, <u16>crc(frame, payload), CRC);
    keyStream += (1 + blocksIn(bytes)) * BLOCK;
    frame += HEADER + payload;
  }
  wipeKeyStream();
}

/** Section 7.2: opens frames up to the first whose tag is wrong. Gives how many, and records of them. */
export function openFrames(slot: i32): i32 {
  const key = slotAt(slot);
  keepAhead(key);
  let keyStream = keyStreamAt;
  let opened = openedAt;
  let record = recordsAt;
  for (let frame = bytesAt; frame < framesEnd; ) {
    const payload = payloadOf(frame);
    const bytes = payload - OVERHEAD;
    if (!openAt(key, frame, ADDITIONAL_DATA, frame + TEXT, bytes, keyStream, opened)) break;
    store<u32>(record, <u32>load<u8>(frame, 3) | (<u32>bytes << 16));
    record += 4;
    opened += bytes;
    keyStream += (1 + blocksIn(bytes)) * BLOCK;
    frame += HEADER + payload;
  }
  wipeKeyStream();
  return <i32>((record - recordsAt) / 4);
}

/** Seals the one text that is loaded, in place. */
export function sealText(slot: i32, additionalDataBytes: usize, bytes: usize): void {
  const key = slotAt(slot);
  keepAhead(key);
  const additionalData = bytesAt + NONCE;
  sealAt(key, additionalData, additionalDataBytes, additionalData + additionalDataBytes, bytes, keyStreamAt);
  wipeKeyStream();
}

/** Opens the one text that is loaded; gives whether its tag is right. */
export function openText(slot: i32, additionalDataBytes: usize, bytes: usize): bool {
  const key = slotAt(slot);
  keepAhead(key);
  const additionalData = bytesAt + NONCE;
  const text = additionalData + additionalDataBytes;
  const isRight = openAt(key, additionalData, additionalDataBytes, text, bytes, keyStreamAt, openedAt);
  wipeKeyStream();
  return isRight;
}

function sealAt(
  key: usize,
  additionalData: usize,
  additionalDataBytes: usize,
  text: usize,
  bytes: usize,
  keyStream: usize,
): void {
  xor(text, bytes, keyStream + BLOCK, text);
  const blocks = gather(additionalData, additionalDataBytes, text, bytes);
  // Also over what the last block wrote too much.
  v128.store(text + bytes, v128.xor(ghash(key, blocks, isLong), v128.load(keyStream)));
}

/** A text whose tag is right is decrypted to `to`. */
function openAt(
  key: usize,
  additionalData: usize,
  additionalDataBytes: usize,
  text: usize,
  bytes: usize,
  keyStream: usize,
  to: usize,
): bool {
  const blocks = gather(additionalData, additionalDataBytes, text, bytes);
  const tag = v128.xor(ghash(key, blocks, isLong), v128.load(keyStream));
  if (v128.any_true(v128.xor(tag, v128.load(text + bytes)))) return false;
  xor(text, bytes, keyStream + BLOCK, to);
  return true;
}

/** Overwrites what a slot has of a key. */
export function clear(slot: i32): void {
  const key = slotAt(slot);
  forgetAhead(key);
  memory.fill(key, 0, <usize>load<u32>(key, KNOWN) * TABLE);
  memory.fill(key + POWER, 0, AHEAD - POWER);
  forgetBytesOf(key);
}
