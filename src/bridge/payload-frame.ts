import { BridgeProtocolError } from './protocol.js';

/*
 * Binary frames of the bridge, little-endian:
 *
 *   message of a device   0x01 | subscription u32 | device id, 6 bytes | time f64, ms since 1970 | payload
 *   command to a device   0x02 | request u32      | device id, 6 bytes | payload
 */

const MESSAGE = 0x01;
const COMMAND = 0x02;
const ID_AT = 1;
const DEVICE_AT = 5;
const DEVICE_ID_BYTES = 6;
const TIME_AT = DEVICE_AT + DEVICE_ID_BYTES;
const MESSAGE_HEADER_BYTES = TIME_AT + 8;
const COMMAND_HEADER_BYTES = DEVICE_AT + DEVICE_ID_BYTES;
/** What a session carries in one message. */
const MAX_PAYLOAD_BYTES = 1808;
/** The longest binary frame of either direction. */
export const MAX_PAYLOAD_FRAME_BYTES = MESSAGE_HEADER_BYTES + MAX_PAYLOAD_BYTES;

export interface MessageFrame {
  /** The subscription that it belongs to. */
  readonly id: number;
  readonly deviceId: string;
  /** When it came, in milliseconds since 1970. */
  readonly atMs: number;
  /** 0 to 1808 bytes. */
  readonly payload: Uint8Array;
}

export interface CommandFrame {
  /** Of the request, for the result. */
  readonly id: number;
  readonly deviceId: string;
  /** 0 to 1808 bytes; a longer one is refused. */
  readonly payload: Uint8Array;
}

export function encodeMessageFrame({ id, deviceId, atMs, payload }: MessageFrame): Uint8Array<ArrayBuffer> {
  const [out, view] = newFrame(MESSAGE, id, deviceId, MESSAGE_HEADER_BYTES, payload);
  view.setFloat64(TIME_AT, atMs, true);
  return out;
}

export const encodeCommandFrame = ({ id, deviceId, payload }: CommandFrame): Uint8Array<ArrayBuffer> =>
  newFrame(COMMAND, id, deviceId, COMMAND_HEADER_BYTES, payload)[0];

/** The payload is a view. @throws BridgeProtocolError */
export function decodeMessageFrame(frame: Uint8Array): MessageFrame {
  const view = checked(frame, MESSAGE, MESSAGE_HEADER_BYTES);
  return {
    id: view.getUint32(ID_AT, true),
    deviceId: readDeviceId(frame),
    atMs: view.getFloat64(TIME_AT, true),
    payload: frame.subarray(MESSAGE_HEADER_BYTES),
  };
}

/** The payload is a view; the session that sends it refuses one that is too long. @throws BridgeProtocolError */
export function decodeCommandFrame(frame: Uint8Array): CommandFrame {
  const view = checked(frame, COMMAND, COMMAND_HEADER_BYTES, Number.POSITIVE_INFINITY);
  return {
    id: view.getUint32(ID_AT, true),
    deviceId: readDeviceId(frame),
    payload: frame.subarray(COMMAND_HEADER_BYTES),
  };
}

function newFrame(
  kind: number,
  id: number,
  deviceId: string,
  headerBytes: number,
  payload: Uint8Array,
): [Uint8Array<ArrayBuffer>, DataView] {
  const out = new Uint8Array(headerBytes + payload.length);
  const view = new DataView(out.buffer);
  out[0] = kind;
  view.setUint32(ID_AT, id, true);
  deviceId.split(':').forEach((byte, at) => (out[DEVICE_AT + at] = Number.parseInt(byte, 16)));
  out.set(payload, headerBytes);
  return [out, view];
}

function checked(frame: Uint8Array, kind: number, headerBytes: number, maxPayloadBytes = MAX_PAYLOAD_BYTES): DataView {
  if (frame[0] !== kind)
    throw new BridgeProtocolError(`expected a binary frame of kind ${kind}, got ${frame[0] ?? 'nothing'}`);
  const payloadBytes = frame.length - headerBytes;
  if (payloadBytes < 0 || payloadBytes > maxPayloadBytes) {
    throw new BridgeProtocolError(
      `binary frame of ${frame.length} bytes, too ${payloadBytes < 0 ? 'short' : 'long'} for its kind`,
    );
  }
  return new DataView(frame.buffer, frame.byteOffset, frame.length);
}

const readDeviceId = (frame: Uint8Array): string =>
  Array.from(frame.subarray(DEVICE_AT, DEVICE_AT + DEVICE_ID_BYTES), (byte) => byte.toString(16).padStart(2, '0')).join(
    ':',
  );
