import { formatNumber } from './format.js';

/*
 * What a device's bytes may mean. They come from devices, so nothing here trusts them: all of it becomes text nodes.
 */

/**
 * Texts that a display would not show as they are: control characters but tab and line ends, what turns the direction of
 * writing round, and the replacement character.
 */
// eslint-disable-next-line no-control-regex
const UNREADABLE = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\ufffd]/;

const utf8 = new TextDecoder('utf-8', { fatal: true });
const lenientUtf8 = new TextDecoder('utf-8');

/** The text that the bytes are in UTF-8; undefined where they are none that can be read. */
export function textOf(payload: Uint8Array): string | undefined {
  try {
    const text = utf8.decode(payload);
    return UNREADABLE.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}

/** The bytes as a text at any price: what is none becomes a dot. */
export const readableText = (payload: Uint8Array): string =>
  lenientUtf8.decode(payload).replace(new RegExp(UNREADABLE, 'g'), '·');

/** The value that the bytes are in JSON; undefined where they are none. */
export function jsonOf(payload: Uint8Array): unknown {
  const text = textOf(payload);
  if (text === undefined || !/^\s*[[{"\-\dtfn]/.test(text)) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

const hexByte = (byte: number): string => byte.toString(16).padStart(2, '0');

/** `3f 9a 00`, of so many bytes at most. */
export function hexLine(payload: Uint8Array, maxBytes = payload.length): string {
  const line = Array.from(payload.subarray(0, maxBytes), hexByte).join(' ');
  return payload.length > maxBytes ? `${line} …` : line;
}

const DUMP_WIDTH = 16;

/** Offset, 16 bytes, and those of them that are ASCII, a line each. */
export function hexDump(payload: Uint8Array): string {
  const lines: string[] = [];
  for (let at = 0; at < payload.length; at += DUMP_WIDTH) {
    const row = payload.subarray(at, at + DUMP_WIDTH);
    const ascii = Array.from(row, (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('');
    lines.push(`${at.toString(16).padStart(4, '0')}  ${hexLine(row).padEnd(DUMP_WIDTH * 3)} ${ascii}`);
  }
  return lines.join('\n');
}

/** The bytes of `3f 9a00`; undefined where it is no hexadecimal, or half a byte is missing. */
export function parseHex(text: string): Uint8Array | undefined {
  const digits = text.replace(/0x|[\s:,]/gi, '');
  if (digits.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(digits)) return undefined;
  return Uint8Array.from({ length: digits.length / 2 }, (_, at) =>
    Number.parseInt(digits.slice(at * 2, at * 2 + 2), 16),
  );
}

const SUMMARY_LENGTH = 100;
const SUMMARY_BYTES = 12;

/** One short line: the fields of a JSON object, a text, or the first bytes. */
export function summaryOf(payload: Uint8Array): string {
  if (payload.length === 0) return '(empty)';
  const value = jsonOf(payload);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return shortened(
      Object.entries(value)
        .map(([name, field]) => `${name} ${fieldText(field)}`)
        .join('  '),
    );
  }
  const text = textOf(payload);
  return text === undefined ? hexLine(payload, SUMMARY_BYTES) : shortened(text.replace(/\s+/g, ' '));
}

function fieldText(field: unknown): string {
  if (typeof field === 'number') return formatNumber(field);
  return typeof field === 'string' ? field : JSON.stringify(field);
}

const shortened = (text: string): string => (text.length > SUMMARY_LENGTH ? `${text.slice(0, SUMMARY_LENGTH)}…` : text);
