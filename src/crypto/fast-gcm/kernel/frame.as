/*
 * A frame, protocol.md sections 1 and 4: header with seq, length of what is behind it and CRC, nonce, ciphertext, tag. The first ten
 * bytes are the additional data.
 */

import { BLOCK } from './layout';

export const SEQ: usize = 4;
export const LENGTH: usize = 8;
export const CRC: usize = 10;
export const ADDITIONAL_DATA: usize = 10;
export const HEADER: usize = 12;
export const NONCE: usize = 12;
export const TEXT: usize = HEADER + NONCE;
export const OVERHEAD: usize = NONCE + BLOCK;
export const MAX_PAYLOAD: usize = 480;
export const MAGIC_AND_VERSION: u32 = 0x02abcd;
export const DATA: u32 = 0x05;
export const DATA_FRAG: u32 = 0x09;
/** No frame has this number. */
export const SEQ_LIMIT: u32 = 0xffffffff;

export function payloadOf(frame: usize): usize {
  return <usize>load<u16>(frame, LENGTH);
}
