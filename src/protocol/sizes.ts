/** Lengths in bytes that protocol.md fixes. */

/** Section 1: magic, version, type, seq, length, crc. */
export const HEADER_BYTES = 12;
/** Section 4: the header without its CRC is what the AEAD authenticates. */
export const ADDITIONAL_DATA_BYTES = 10;
/** Section 1. */
export const MAX_PAYLOAD_BYTES = 480;
export const MAX_FRAME_BYTES = HEADER_BYTES + MAX_PAYLOAD_BYTES;

/** Section 4. */
export const NONCE_BYTES = 12;
export const TAG_BYTES = 16;
export const SEAL_OVERHEAD_BYTES = NONCE_BYTES + TAG_BYTES;
export const MAX_PLAINTEXT_BYTES = MAX_PAYLOAD_BYTES - SEAL_OVERHEAD_BYTES;

/** Section 6. */
export const MAX_FRAGMENTS = 4;
export const MAX_MESSAGE_BYTES = MAX_FRAGMENTS * MAX_PLAINTEXT_BYTES;

/** Section 3. */
export const KEY_BYTES = 32;
export const PUBLIC_KEY_BYTES = 32;
export const CHALLENGE_NONCE_BYTES = 32;
export const HMAC_BYTES = 32;
export const SESSION_ID_BYTES = 16;
export const DEVICE_ID_BYTES = 6;
export const MIN_PSK_BYTES = 16;
export const COOKIE_BYTES = 16;

/** Section 6, REKEY. */
export const SALT_BYTES = 32;

/** Section 5: this sequence number is never used to send. */
export const SEQ_LIMIT = 0xffff_ffff;
