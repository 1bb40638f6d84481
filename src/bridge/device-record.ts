import type { Session } from '../session/session.js';
import { clipped } from './dashboard-event.js';
import { MessageRate } from './message-rate.js';
import { encodeMessageFrame } from './payload-frame.js';
import type { BridgeDevice } from './protocol.js';

/** A message of a device, and its frame for those who subscribed. */
export class DeviceMessage {
  readonly deviceId: string;
  readonly #atMs: number;
  readonly #payload: Uint8Array;
  #frameId: number | undefined;
  #frame: Uint8Array | undefined;

  constructor(deviceId: string, atMs: number, payload: Uint8Array) {
    this.deviceId = deviceId;
    this.#atMs = atMs;
    this.#payload = payload;
  }

  /** Encoded once for all dashboards that chose the same number for their subscription, as they mostly do. */
  frame(id: number): Uint8Array {
    if (this.#frame === undefined || this.#frameId !== id) {
      this.#frame = encodeMessageFrame({ id, deviceId: this.deviceId, atMs: this.#atMs, payload: this.#payload });
      this.#frameId = id;
    }
    return this.#frame;
  }
}

/** What is known of one device. Its newest session is what it shows of its sessions. */
export class DeviceRecord {
  readonly #deviceId: string;
  readonly #sessions = new Map<Session, number>();
  #shown: Pick<BridgeDevice, 'transport' | 'remoteAddress' | 'sessionId' | 'sinceMs'>;
  #lastSeenMs: number;
  #messages = 0;
  #bytes = 0;
  #drops = 0;
  readonly #rate: MessageRate;
  #messagesPerSecond = 0;
  #latest: DeviceMessage | undefined;
  #json: string | undefined;

  constructor(session: Session, nowMs: number) {
    this.#deviceId = session.deviceId;
    this.#rate = new MessageRate(nowMs);
    this.#lastSeenMs = nowMs;
    this.#shown = shown(session, nowMs);
    this.#sessions.set(session, nowMs);
  }

  get isOnline(): boolean {
    return this.#sessions.size > 0;
  }

  /** As it was taken last. */
  get messagesPerSecond(): number {
    return this.#messagesPerSecond;
  }

  /** The last message of the device, if there was one. */
  get latest(): DeviceMessage | undefined {
    return this.#latest;
  }

  /** The device as dashboards see it, as JSON. */
  get json(): string {
    this.#json ??= JSON.stringify(this.#device);
    return this.#json;
  }

  opened(session: Session, nowMs: number): void {
    this.#sessions.set(session, nowMs);
    this.#shown = shown(session, nowMs);
    this.seen(nowMs);
  }

  closed(session: Session): void {
    this.#sessions.delete(session);
    const newest = [...this.#sessions].at(-1);
    if (newest) this.#shown = shown(...newest);
    this.#json = undefined;
  }

  seen(nowMs: number): void {
    this.#lastSeenMs = nowMs;
    this.#json = undefined;
  }

  message(payload: Uint8Array, nowMs: number): DeviceMessage {
    this.#latest = new DeviceMessage(this.#deviceId, nowMs, payload);
    this.#messages++;
    this.#bytes += payload.length;
    this.#rate.count(nowMs);
    this.seen(nowMs);
    return this.#latest;
  }

  dropped(): void {
    this.#drops++;
    this.#json = undefined;
  }

  /** Takes the rate anew; false where it is what it was. */
  takeRate(nowMs: number): boolean {
    const before = this.#messagesPerSecond;
    this.#messagesPerSecond = this.#rate.perSecond(nowMs);
    if (before === this.#messagesPerSecond) return false;
    this.#json = undefined;
    return true;
  }

  get #device(): BridgeDevice {
    return {
      deviceId: this.#deviceId,
      isOnline: this.isOnline,
      ...this.#shown,
      lastSeenMs: this.#lastSeenMs,
      messages: this.#messages,
      bytes: this.#bytes,
      messagesPerSecond: this.#messagesPerSecond,
      drops: this.#drops,
    };
  }
}

const shown = ({ transport, remoteAddress, sessionId }: Session, sinceMs: number) => ({
  transport,
  remoteAddress: clipped(remoteAddress),
  sessionId,
  sinceMs,
});
