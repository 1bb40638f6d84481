import type { Session } from '../session/session.js';
import { DeviceRecord, type DeviceMessage } from './device-record.js';

/**
 * The devices that have, or had, a session. Those that are gone are forgotten where there are too many in all, the one first that
 * went first; those that are here are as many as the server lets in.
 */
export class DeviceTable {
  readonly #maxDevices: number;
  readonly #records = new Map<string, DeviceRecord>();
  /** In the order in which they went. */
  readonly #offline = new Set<string>();
  /** Came, went or were forgotten. */
  #moved = new Set<string>();
  /** Whatever else has changed. */
  #changed = new Set<string>();
  /** Those whose rate may be other than 0. */
  readonly #active = new Set<string>();

  constructor(maxDevices: number) {
    this.#maxDevices = maxDevices;
  }

  get deviceIds(): Iterable<string> {
    return this.#records.keys();
  }

  /** Undefined where the device is not known, or not any longer. */
  json(deviceId: string): string | undefined {
    return this.#records.get(deviceId)?.json;
  }

  /** The last message of a device. */
  latest(deviceId: string): DeviceMessage | undefined {
    return this.#records.get(deviceId)?.latest;
  }

  opened(session: Session, nowMs: number): void {
    const { deviceId } = session;
    const record = this.#records.get(deviceId);
    if (record) record.opened(session, nowMs);
    else this.#records.set(deviceId, new DeviceRecord(session, nowMs));
    this.#offline.delete(deviceId);
    this.#moved.add(deviceId);
    this.#forget();
  }

  closed(session: Session): void {
    const { deviceId } = session;
    const record = this.#records.get(deviceId);
    record?.closed(session);
    if (record?.isOnline === false) this.#offline.add(deviceId);
    this.#moved.add(deviceId);
    this.#forget();
  }

  message(deviceId: string, payload: Uint8Array, nowMs: number): DeviceMessage | undefined {
    this.#changed.add(deviceId);
    this.#active.add(deviceId);
    return this.#records.get(deviceId)?.message(payload, nowMs);
  }

  /** An authentic frame of the device came. */
  seen(deviceId: string, nowMs: number): void {
    this.#records.get(deviceId)?.seen(nowMs);
    this.#changed.add(deviceId);
  }

  dropped(deviceId: string): void {
    this.#records.get(deviceId)?.dropped();
    this.#changed.add(deviceId);
  }

  /** The devices that came, went or were forgotten since the last time. */
  takeMoved(): ReadonlySet<string> {
    const moved = this.#moved;
    if (moved.size > 0) this.#moved = new Set();
    return moved;
  }

  /** All that has changed since the last time, at least a second ago, after the rates were taken anew. */
  takeChanged(nowMs: number): ReadonlySet<string> {
    const changed = new Set([...this.takeMoved(), ...this.#changed]);
    this.#changed = new Set();
    for (const deviceId of this.#active) {
      const record = this.#records.get(deviceId);
      const hasMessages = changed.has(deviceId);
      if (record?.takeRate(nowMs)) changed.add(deviceId);
      if (!hasMessages && !record?.messagesPerSecond) this.#active.delete(deviceId);
    }
    return changed;
  }

  #forget(): void {
    for (const deviceId of this.#offline) {
      if (this.#records.size <= this.#maxDevices) return;
      this.#offline.delete(deviceId);
      this.#records.delete(deviceId);
      this.#moved.add(deviceId);
    }
  }
}
