import { ConfigError } from '../protocol/errors.js';
import { parsePskTable, type ParsedPsks, type PskTable } from './psk-table.js';

/** What follows this prefix are the bytes of a PSK in hexadecimal digits. */
const HEX_PREFIX = 'hex:';
const HEX_BYTES = /^([0-9a-f]{2})+$/i;

/**
 * PSKs by device id as JSON, each a text or a list of two.
 * @throws ConfigError `CONFIG_OPTION` where it is no JSON object, `CONFIG_PSK` or `CONFIG_DEVICE_ID`; none shows a PSK
 */
export function parsePskJson(text: string): ParsedPsks {
  const content = parseJson(text);
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw new ConfigError('CONFIG_OPTION', 'expected a JSON object of PSKs by device id');
  }
  const entries = Object.entries(content).map(([key, value]: [string, unknown]) => {
    const one = (psk: unknown): unknown => pskOf(psk, key);
    return [key, Array.isArray(value) ? value.map(one) : one(value)] as const;
  });
  return parsePskTable(Object.fromEntries(entries) as PskTable);
}

/** The parser's own message shows what stands around the mistake, which may be a PSK. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ConfigError('CONFIG_OPTION', 'expected JSON, and it is not');
  }
}

/** All but a text with the prefix is left for the check that every PSK passes. */
function pskOf(value: unknown, key: string): unknown {
  if (typeof value !== 'string' || !value.startsWith(HEX_PREFIX)) return value;
  const digits = value.slice(HEX_PREFIX.length);
  if (HEX_BYTES.test(digits)) return Uint8Array.from(Buffer.from(digits, 'hex'));
  throw new ConfigError('CONFIG_PSK', `psk of ${key}: expected pairs of hexadecimal digits after ${HEX_PREFIX}`);
}
