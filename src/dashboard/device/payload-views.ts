import { hexDump, hexLine, jsonOf, readableText } from '../payload.js';

export const PAYLOAD_VIEWS = ['text', 'json', 'hex'] as const;
export type PayloadView = (typeof PAYLOAD_VIEWS)[number];

const LINE_LENGTH = 400;
const LINE_BYTES = 64;

/** The payload in one line; as JSON where it is none, as a text. */
export function lineOf(payload: Uint8Array, view: PayloadView): string {
  if (payload.length === 0) return '(empty)';
  if (view === 'hex') return hexLine(payload, LINE_BYTES);
  const value = view === 'json' ? jsonOf(payload) : undefined;
  const text = value === undefined ? readableText(payload).replace(/\s+/g, ' ') : JSON.stringify(value);
  return text.length > LINE_LENGTH ? `${text.slice(0, LINE_LENGTH)}…` : text;
}

/** All of the payload, in as many lines as it needs. */
export function wholeOf(payload: Uint8Array, view: PayloadView): string {
  if (payload.length === 0) return '(empty)';
  if (view === 'hex') return hexDump(payload);
  const value = view === 'json' ? jsonOf(payload) : undefined;
  return value === undefined ? readableText(payload) : JSON.stringify(value, undefined, 2);
}
