import type { Listening } from './audience.js';
import type { DeviceMessage } from './device-record.js';
import type { DeviceTable } from './device-table.js';
import type { ClientMessage } from './protocol.js';
import type { SendQueue } from './send-queue.js';
import { WaitingDevices } from './waiting-devices.js';

export type SubscribeRequest = Extract<ClientMessage, { readonly type: 'subscribe' }>;

/** What a subscription is made of. */
export interface SubscriptionParts {
  readonly request: SubscribeRequest;
  readonly queue: SendQueue;
  readonly table: DeviceTable;
  readonly nowMs: number;
}

/** What a dashboard asked for. Keeps no data that waits, but whose data: the data itself is in the table, once for all. */
abstract class BaseSubscription implements Listening {
  readonly deviceIds: ReadonlySet<string> | undefined;
  protected readonly id: number;
  protected readonly queue: SendQueue;

  constructor({ request, queue }: SubscriptionParts) {
    this.id = request.id;
    this.deviceIds = request.deviceIds && new Set(request.deviceIds);
    this.queue = queue;
  }

  /** Since when something waits that there was no room for. */
  abstract readonly waitingSinceMs: number | undefined;

  /** Sends what is due and what waits; false where the room did not do. */
  abstract tick(nowMs: number): boolean;

  /** Told before what comes after the gap. */
  protected tellMissed(count: number): boolean {
    return count === 0 || this.queue.offer(JSON.stringify({ type: 'missed', id: this.id, count }));
  }
}

/** What devices send: each message at once, or the latest of each device every so many milliseconds. */
export class MessageSubscription extends BaseSubscription {
  readonly #table: DeviceTable;
  readonly #everyMs: number | undefined;
  #dueMs: number;
  /** Those that sent something since the last sample. */
  readonly #sampled = new Set<string>();
  /** Those whose latest message is to be sent. */
  readonly #waiting = new WaitingDevices();
  #missed = 0;

  constructor(parts: SubscriptionParts) {
    super(parts);
    this.#table = parts.table;
    this.#everyMs = parts.request.everyMs;
    this.#dueMs = parts.nowMs + (this.#everyMs ?? 0);
  }

  get waitingSinceMs(): number | undefined {
    return this.#waiting.sinceMs;
  }

  arrived(message: DeviceMessage, nowMs: number): void {
    if (this.#everyMs !== undefined) this.#sampled.add(message.deviceId);
    else if (!this.#waiting.isEmpty || !this.queue.offer(message.frame(this.id))) this.#wait(message.deviceId, nowMs);
  }

  tick(nowMs: number): boolean {
    if (this.#everyMs !== undefined && nowMs >= this.#dueMs) {
      for (const deviceId of this.#sampled) this.#wait(deviceId, nowMs);
      this.#sampled.clear();
      this.#dueMs = Math.max(this.#dueMs + this.#everyMs, nowMs);
    }
    return this.#waiting.isEmpty || this.#sendWaiting();
  }

  /** A device that waits already has a message that nobody will see. */
  #wait(deviceId: string, nowMs: number): void {
    if (!this.#waiting.add(deviceId, nowMs)) this.#missed++;
  }

  #sendWaiting(): boolean {
    if (!this.tellMissed(this.#missed)) return false;
    this.#missed = 0;
    for (const deviceId of this.#waiting) {
      const latest = this.#table.latest(deviceId);
      if (latest && !this.queue.offer(latest.frame(this.id))) return false;
      this.#waiting.delete(deviceId);
    }
    return true;
  }
}

/** Who is here: all at first, then what has changed. A device that changes twice before it is sent is sent as it is then. */
export class DeviceSubscription extends BaseSubscription {
  readonly #table: DeviceTable;
  readonly #waiting = new WaitingDevices();
  #hasBegun = false;

  constructor(parts: SubscriptionParts) {
    super(parts);
    this.#table = parts.table;
    for (const deviceId of this.deviceIds ?? parts.table.deviceIds) {
      if (parts.table.json(deviceId) !== undefined) this.changed(deviceId, parts.nowMs);
    }
  }

  get waitingSinceMs(): number | undefined {
    return this.#waiting.sinceMs;
  }

  changed(deviceId: string, nowMs: number): void {
    this.#waiting.add(deviceId, nowMs);
  }

  tick(): boolean {
    while (!this.#hasBegun || !this.#waiting.isEmpty) if (!this.#sendSome()) return false;
    return true;
  }

  /** As many devices as there is room for. */
  #sendSome(): boolean {
    const { roomBytes } = this.queue;
    const devices: string[] = [];
    const forgotten: string[] = [];
    const sent: string[] = [];
    let bytes = MESSAGE_BYTES;
    for (const deviceId of this.#waiting) {
      const json = this.#table.json(deviceId);
      bytes += json === undefined ? FORGOTTEN_BYTES : Buffer.byteLength(json) + 1;
      if (bytes > roomBytes) break;
      if (json === undefined) forgotten.push(deviceId);
      else devices.push(json);
      sent.push(deviceId);
    }
    if (sent.length === 0 && !this.#waiting.isEmpty) return false;
    if (!this.queue.offer(this.#message(devices, forgotten))) return false;
    this.#hasBegun = true;
    for (const deviceId of sent) this.#waiting.delete(deviceId);
    return true;
  }

  #message(devices: readonly string[], forgotten: readonly string[]): string {
    const type = this.#hasBegun ? 'devices-changed' : 'devices';
    const rest = forgotten.length > 0 ? `,"forgotten":${JSON.stringify(forgotten)}` : '';
    return `{"type":"${type}","id":${this.id},"devices":[${devices.join()}]${rest}}`;
  }
}

/** What a message takes without its devices, and a device that is forgotten, at most. */
const MESSAGE_BYTES = 100;
const FORGOTTEN_BYTES = 20;

/** Sessions, failed handshakes, drops. Events have no latest: what finds no room is missed. */
export class EventSubscription extends BaseSubscription {
  #missed = 0;
  #missedSinceMs: number | undefined;

  get waitingSinceMs(): number | undefined {
    return this.#missedSinceMs;
  }

  /** @param json of a BridgeEvent */
  happened(json: string, nowMs: number): void {
    if (this.#missed === 0 && this.queue.offer(`{"type":"event","id":${this.id},"event":${json}}`)) return;
    this.#missed++;
    this.#missedSinceMs ??= nowMs;
  }

  tick(): boolean {
    if (!this.tellMissed(this.#missed)) return false;
    this.#missed = 0;
    this.#missedSinceMs = undefined;
    return true;
  }
}

export type Subscription = MessageSubscription | DeviceSubscription | EventSubscription;
