import { normalizeDeviceId } from '../protocol/device-id.js';
import { ConfigError } from '../protocol/errors.js';
import { parsePsk, type PskInput } from '../protocol/psk.js';
import type { Secret } from '../protocol/secret.js';

/** The PSK of a device, or two while a new one is rotated in. */
export type PskAnswer = PskInput | readonly PskInput[];

/** PSKs by device id; `default` stands for all devices that are not in it. */
export type PskTable = ReadonlyMap<string, PskAnswer> | Readonly<Record<string, PskAnswer>>;

/** More would only cost each handshake time. */
const MAX_PSKS = 2;

/** Checked, under the one form of device ids and `default`. */
export type ParsedPsks = ReadonlyMap<string, readonly Secret[]>;

export const findIn = (table: ParsedPsks, deviceId: string): readonly Secret[] =>
  table.get(deviceId) ?? table.get('default') ?? [];

/** @throws ConfigError `CONFIG_PSK` or `CONFIG_DEVICE_ID` */
export function parsePskTable(table: PskTable): ParsedPsks {
  const parsed = new Map<string, readonly Secret[]>();
  const entries = table instanceof Map ? [...(table as ReadonlyMap<string, PskAnswer>)] : Object.entries(table);
  for (const [key, answer] of entries) {
    const deviceId = key === 'default' ? key : normalizeDeviceId(key);
    if (parsed.has(deviceId)) {
      throw new ConfigError('CONFIG_DEVICE_ID', `psk: ${deviceId} is there twice; a list holds both PSKs of a device`);
    }
    parsed.set(deviceId, parsePskAnswer(answer, `psk of ${deviceId}`));
  }
  return parsed;
}

/** @throws ConfigError `CONFIG_PSK` */
export function parsePskAnswer(answer: unknown, whose: string): readonly Secret[] {
  if (!Array.isArray(answer)) return [parsePsk(answer, whose)];
  if (answer.length > 0 && answer.length <= MAX_PSKS) return answer.map((psk) => parsePsk(psk, whose));
  throw new ConfigError(
    'CONFIG_PSK',
    `${whose}: expected one PSK or a list of up to 2, got a list of ${answer.length}`,
  );
}
