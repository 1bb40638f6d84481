import { toHex, utf8 } from './bytes.js';
import { ConfigError } from './errors.js';
import { DEVICE_ID_BYTES, MIN_PSK_BYTES } from './sizes.js';

const FORM = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/;

/** `00:11:22:33:44:55`, protocol.md section 8. */
export const formatDeviceId = (bytes: Uint8Array): string => toHex(bytes, ':');

/**
 * The one form of a device id: from 6 bytes, or from a text that differs at most in case.
 * @throws ConfigError `CONFIG_DEVICE_ID`
 */
export function normalizeDeviceId(input: unknown): string {
  if (input instanceof Uint8Array && input.length === DEVICE_ID_BYTES) return formatDeviceId(input);
  const text = typeof input === 'string' ? input.toLowerCase() : '';
  if (FORM.test(text)) return text;
  throw new ConfigError(
    'CONFIG_DEVICE_ID',
    `device id: expected 6 bytes or text like 00:11:22:33:44:55, got ${describe(input)}`,
  );
}

/** Does not echo what could be a PSK that was given in the wrong place. */
function describe(input: unknown): string {
  if (input instanceof Uint8Array) return `${input.length} bytes`;
  if (typeof input !== 'string') return input === null ? 'null' : typeof input;
  return utf8(input).length < MIN_PSK_BYTES ? JSON.stringify(input) : `a text of ${input.length} characters`;
}

/**
 * The 6 bytes of a device id.
 * @throws ConfigError `CONFIG_DEVICE_ID`
 */
export function parseDeviceId(input: unknown): Uint8Array {
  return Uint8Array.from(normalizeDeviceId(input).split(':'), (digits) => Number.parseInt(digits, 16));
}
