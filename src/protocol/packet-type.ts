/** Packet types, protocol.md section 2. */
export const PacketType = {
  HELLO: 0x01,
  CHALLENGE: 0x02,
  HELLO_ACK: 0x03,
  SESSION_OK: 0x04,
  DATA: 0x05,
  PING: 0x06,
  PONG: 0x07,
  BYE: 0x08,
  DATA_FRAG: 0x09,
  HELLO_RETRY: 0x0a,
  REKEY: 0x0b,
  ERROR: 0xff,
} as const;
export type PacketTypeName = keyof typeof PacketType;
export type PacketType = (typeof PacketType)[PacketTypeName];

/** The types whose payload is sealed. */
export type SealedType =
  | typeof PacketType.DATA
  | typeof PacketType.PING
  | typeof PacketType.PONG
  | typeof PacketType.BYE
  | typeof PacketType.DATA_FRAG
  | typeof PacketType.REKEY;

const names = new Map<number, PacketTypeName>(
  (Object.entries(PacketType) as [PacketTypeName, PacketType][]).map(([name, type]) => [type, name]),
);

export const isPacketType = (value: number): value is PacketType => names.has(value);

/** `DATA`, or the number in hexadecimal where it has no name. */
export const packetTypeName = (value: number): string => names.get(value) ?? `0x${value.toString(16).padStart(2, '0')}`;

/** Whether it carries a message, or a part of one. */
export const isDataType = (type: PacketType): type is typeof PacketType.DATA | typeof PacketType.DATA_FRAG =>
  type === PacketType.DATA || type === PacketType.DATA_FRAG;

export function isSealedType(type: PacketType): type is SealedType {
  return type >= PacketType.DATA && type !== PacketType.HELLO_RETRY && type !== PacketType.ERROR;
}
