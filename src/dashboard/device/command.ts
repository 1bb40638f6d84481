import { parseHex } from '../payload.js';

/** What a session carries in one message. */
export const MAX_COMMAND_BYTES = 1_808;

export const NOTATIONS = ['text', 'hex'] as const;
export type Notation = (typeof NOTATIONS)[number];

/** What stands in the box: the same characters in another notation are another command. */
export interface Typed {
  readonly text: string;
  readonly notation: Notation;
}

/** The bytes that a typed command means, or why it can't be sent. */
export type Command = { readonly data: Uint8Array } | { readonly problem: string };

export function commandOf({ text, notation }: Typed): Command {
  const data = notation === 'hex' ? parseHex(text) : new TextEncoder().encode(text);
  if (!data) return { problem: 'Not hexadecimal: two digits a byte, as in 3f 9a 00.' };
  if (data.length === 0) return { problem: 'Nothing to send yet.' };
  if (data.length <= MAX_COMMAND_BYTES) return { data };
  return { problem: `${data.length} bytes, and a message carries at most ${MAX_COMMAND_BYTES}.` };
}
