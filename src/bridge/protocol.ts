import {
  array,
  boolean,
  integer,
  literal,
  maxLength,
  maxValue,
  minLength,
  minValue,
  nullable,
  number,
  object,
  optional,
  picklist,
  pipe,
  regex,
  safeParse,
  string,
  variant,
  type GenericSchema,
  type InferOutput,
} from 'valibot';

/*
 * What a dashboard and the bridge say to each other, version 1: docs/bridge.md. Control messages are JSON in text frames;
 * payloads travel in binary frames, `payload-frame.ts`.
 */

/** The WebSocket subprotocol. A token may be offered beside it as `usmp-token.` and the token in base64url. */
export const BRIDGE_SUBPROTOCOL = 'usmp-bridge.v1';
export const TOKEN_SUBPROTOCOL_PREFIX = 'usmp-token.';

/** Why the bridge closes a WebSocket, as its close codes; the close reason says more. */
export const BridgeCloseCode = {
  /** The gateway stops; come back later. */
  GOING_AWAY: 1001,
  /** A message that is not in the protocol, or too large. */
  BAD_MESSAGE: 4400,
  /** No token, or a wrong one. Trying again with the same one is useless. */
  UNAUTHORIZED: 4401,
  /** No token came in time. */
  AUTH_TIMEOUT: 4408,
  /** More clients than may be, or more commands than this one may send. */
  LIMIT: 4429,
  /** The client reads too slowly even for the latest of each device. */
  TOO_SLOW: 4430,
} as const;
export type BridgeCloseCode = (typeof BridgeCloseCode)[keyof typeof BridgeCloseCode];

/** What a token allows: `command` is everything that `read` is, and to send, ping and end. */
export const ROLES = ['read', 'command'] as const;
export type Role = (typeof ROLES)[number];

const count = pipe(number(), integer(), minValue(0), maxValue(Number.MAX_SAFE_INTEGER));
/** Chosen by the client; unique among what it has not had an answer to, or not unsubscribed. */
const id = pipe(number(), integer(), minValue(0), maxValue(0xffff_ffff));
const deviceId = pipe(string(), regex(/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/, 'expected a device id like 00:11:22:33:44:55'));
/** The latest time that a Date can be, in milliseconds since 1970. */
export const MAX_TIME_MS = 8.64e15;
/** Milliseconds since 1970. */
const time = pipe(number(), minValue(0), maxValue(MAX_TIME_MS));
const text = pipe(string(), maxLength(1_000));

/** The most devices that one subscription names; without names it is for all. */
export const MAX_NAMED_DEVICES = 1_000;
/** So many events the bridge keeps for dashboards that subscribe later. */
export const MAX_KEPT_EVENTS = 100;
export const MIN_SAMPLE_MS = 50;
export const MAX_SAMPLE_MS = 60_000;

/** `devices`: who is here. `messages`: what they send. `events`: sessions, failed handshakes, drops. */
export const SUBSCRIPTION_KINDS = ['devices', 'messages', 'events'] as const;
export type SubscriptionKind = (typeof SUBSCRIPTION_KINDS)[number];

const ClientMessageSchema = variant('type', [
  object({ type: literal('auth'), token: pipe(string(), minLength(1), maxLength(1_000)) }),
  object({
    type: literal('subscribe'),
    id,
    kind: picklist(SUBSCRIPTION_KINDS),
    deviceIds: optional(pipe(array(deviceId), minLength(1), maxLength(MAX_NAMED_DEVICES))),
    /** Of `messages`: only the latest of each device every so many milliseconds. */
    everyMs: optional(pipe(number(), integer(), minValue(MIN_SAMPLE_MS), maxValue(MAX_SAMPLE_MS))),
  }),
  object({ type: literal('unsubscribe'), id }),
  /** Answered with `result` and `roundTripMs`. */
  object({ type: literal('ping'), id, deviceId }),
  /** Ends the session of a device with BYE. */
  object({ type: literal('end'), id, deviceId }),
]);
/** From a dashboard to the bridge. A command with its payload is a binary frame. */
export type ClientMessage = InferOutput<typeof ClientMessageSchema>;

const DeviceSchema = object({
  deviceId,
  /** Whether it has a session. */
  isOnline: boolean(),
  transport: picklist(['tcp', 'udp', 'websocket', 'memory']),
  remoteAddress: text,
  sessionId: text,
  /** When the session began. */
  sinceMs: time,
  /** When its last authentic frame came. */
  lastSeenMs: time,
  /** Messages and their bytes since the bridge was made. */
  messages: count,
  bytes: count,
  /** Messages a second, over the last seconds. */
  messagesPerSecond: pipe(number(), minValue(0)),
  /** Frames that were dropped. */
  drops: count,
});
/** A device as dashboards see it. */
export type BridgeDevice = InferOutput<typeof DeviceSchema>;

const EventSchema = variant('event', [
  object({ event: literal('session-opened'), atMs: time, deviceId, transport: text, remoteAddress: text }),
  object({
    event: literal('session-closed'),
    atMs: time,
    deviceId,
    origin: picklist(['local', 'remote']),
    /** The code of the error; null after a BYE. */
    code: nullable(text),
    message: text,
  }),
  object({
    event: literal('handshake-failed'),
    atMs: time,
    /** What the peer claimed to be; null before its HELLO. */
    deviceId: nullable(deviceId),
    transport: text,
    remoteAddress: text,
    code: text,
    message: text,
  }),
  /** Frames or datagrams that were passed over, gathered for a second; the device is null outside of sessions. */
  object({ event: literal('dropped'), atMs: time, deviceId: nullable(deviceId), reason: text, count }),
  object({ event: literal('refused'), atMs: time, remoteAddress: text, reason: text, count }),
]);
export type BridgeEvent = InferOutput<typeof EventSchema>;

const ServerMessageSchema = variant('type', [
  /** The first message, once the token is believed. */
  object({ type: literal('welcome'), role: picklist(ROLES) }),
  /** The devices: comes once, after the `result` of a subscription of `devices`. What is too long for it follows as changed. */
  object({ type: literal('devices'), id, devices: array(DeviceSchema) }),
  /** Those that have changed since, or are new, and those that the bridge does not know any longer. */
  object({
    type: literal('devices-changed'),
    id,
    devices: array(DeviceSchema),
    forgotten: optional(array(deviceId)),
  }),
  object({ type: literal('event'), id, event: EventSchema }),
  /** So many messages, or events, of this subscription were passed over, since the client reads slowly. */
  object({ type: literal('missed'), id, count }),
  /** The answer to a subscription, a ping, an end or a command. */
  object({ type: literal('result'), id, ok: literal(true), roundTripMs: optional(pipe(number(), minValue(0))) }),
  object({ type: literal('refused'), id, code: text, message: text }),
]);
/** From the bridge to a dashboard. Messages of devices are binary frames. */
export type ServerMessage = InferOutput<typeof ServerMessageSchema>;

/** Why the bridge itself refuses; other codes of `refused` are those of a UsmpError, as `send` of a session rejects with. */
export type RefusalCode =
  /** The token has the role `read`. */
  | 'FORBIDDEN'
  /** The device has no session. */
  | 'NOT_CONNECTED'
  /** As many subscriptions, or devices that they name, as may be, or as many commands in this second. */
  | 'LIMIT'
  /** The id is in use; what uses it goes on. */
  | 'DUPLICATE_ID'
  /** There is no subscription with this id. */
  | 'NOT_SUBSCRIBED'
  /** `everyMs` is for messages alone. */
  | 'UNSUPPORTED';

/** Why a message is not in the protocol. */
export class BridgeProtocolError extends Error {
  override readonly name = 'BridgeProtocolError';
}

/** Of an explanation, which quotes what it is about. */
const MAX_EXPLANATION_CHARACTERS = 200;

/** @throws BridgeProtocolError */
export const parseClientMessage = (json: string): ClientMessage => parse(ClientMessageSchema, json);
/** @throws BridgeProtocolError */
export const parseServerMessage = (json: string): ServerMessage => parse(ServerMessageSchema, json);

function parse<T>(schema: GenericSchema<unknown, T>, json: string): T {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw new BridgeProtocolError('expected JSON');
  }
  // One mistake is enough: a list of a million would take a minute.
  const result = safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const path = issue.path?.map(({ key }) => String(key)).join('.');
  const explanation = path ? `${path}: ${issue.message}` : issue.message;
  throw new BridgeProtocolError(explanation.slice(0, MAX_EXPLANATION_CHARACTERS));
}
