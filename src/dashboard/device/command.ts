import { parseHex } from '../payload.js';

/** What a session carries in one message. */
export const MAX_COMMAND_BYTES = 1_808;

export const NOTATIONS = ['text', 'hex'] as const;
export type Notation = (typeof NOTATIONS)[number];

/** The bytes that a typed command means, or why it can't be sent. */
export type Command = { readonly data: Uint8Array } | { readonly problem: string };

export function commandOf(typed: string, notation: Notation): Command {
  const data = notation === 'hex' ? parseHex(typed) : new TextEncoder().encode(typed);
  if (!data) return { problem: 'Not hexadecimal: two digits a byte, as in 3f 9a 00.' };
  if (data.length <= MAX_COMMAND_BYTES) return { data };
  return { problem: `${data.length} bytes, and a message carries at most ${MAX_COMMAND_BYTES}.` };
}
