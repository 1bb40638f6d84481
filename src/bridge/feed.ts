import type { ServerEvent } from '../server/server-event.js';
import type { UsmpServer } from '../server/server.js';
import type { SessionEvent } from '../session/session-event.js';
import { SessionMessageEvent } from '../session/session-event.js';
import { Audience, listensTo } from './audience.js';
import { dashboardEvent } from './dashboard-event.js';
import { DeviceTable } from './device-table.js';
import { GatheredEvents } from './gathered-events.js';
import { MAX_KEPT_EVENTS, type BridgeEvent } from './protocol.js';
import {
  DeviceSubscription,
  EventSubscription,
  MessageSubscription,
  type Subscription,
  type SubscriptionParts,
} from './subscription.js';

/** Rates, counters and gathered events are told this often; who comes and goes, at once. */
const SUMMARY_MS = 1_000;

/** An event as dashboards see it, and which device it is about. */
interface KeptEvent {
  readonly deviceId: string | null;
  readonly json: string;
}

/** What a server's devices do, for all subscriptions of all dashboards. */
export class Feed {
  readonly #table: DeviceTable;
  readonly #messages = new Audience<MessageSubscription>();
  readonly #devices = new Audience<DeviceSubscription>();
  readonly #events = new Audience<EventSubscription>();
  readonly #gathered = new GatheredEvents();
  /** The last ones, the oldest first. */
  readonly #kept: KeptEvent[] = [];
  #summaryMs: number;

  constructor(server: UsmpServer, maxDevices: number, nowMs: number) {
    this.#table = new DeviceTable(maxDevices);
    this.#summaryMs = nowMs + SUMMARY_MS;
    for (const session of server.sessions.values()) this.#table.opened(session, nowMs);
  }

  subscribe(parts: Omit<SubscriptionParts, 'table'>): Subscription {
    const all = { ...parts, table: this.#table };
    switch (parts.request.kind) {
      case 'messages':
        return added(this.#messages, new MessageSubscription(all));
      case 'devices':
        return added(this.#devices, new DeviceSubscription(all));
      case 'events':
        return this.#caughtUp(added(this.#events, new EventSubscription(all)), parts.nowMs);
    }
  }

  unsubscribe(subscription: Subscription): void {
    if (subscription instanceof MessageSubscription) this.#messages.delete(subscription);
    else if (subscription instanceof DeviceSubscription) this.#devices.delete(subscription);
    else this.#events.delete(subscription);
  }

  observe(event: ServerEvent, nowMs: number): void {
    switch (event.type) {
      case 'session':
        return this.#observeSession(event.session.deviceId, event.event, nowMs);
      case 'session-opened':
        this.#table.opened(event.session, nowMs);
        return this.#tell(dashboardEvent(event, nowMs), nowMs);
      case 'session-closed':
        this.#table.closed(event.session);
        return this.#tell(dashboardEvent(event, nowMs), nowMs);
      case 'handshake-failed':
        return this.#tell(dashboardEvent(event, nowMs), nowMs);
      case 'datagram-dropped':
        return this.#gathered.dropped(null, event.reason);
      case 'connection-refused':
      case 'session-rejected':
        return this.#gathered.refused(event.remoteAddress, event.reason);
      default:
    }
  }

  /** Time has passed: tells what has changed. */
  tick(nowMs: number): void {
    const isSummary = nowMs >= this.#summaryMs;
    const changed = isSummary ? this.#table.takeChanged(nowMs) : this.#table.takeMoved();
    for (const deviceId of changed) {
      for (const subscription of this.#devices.of(deviceId)) subscription.changed(deviceId, nowMs);
    }
    if (!isSummary) return;
    this.#summaryMs = Math.max(this.#summaryMs + SUMMARY_MS, nowMs);
    for (const event of this.#gathered.take(nowMs)) this.#tell(event, nowMs);
  }

  #observeSession(deviceId: string, event: SessionEvent, nowMs: number): void {
    if (event instanceof SessionMessageEvent) {
      if (event.type === 'message') this.#message(deviceId, event.data, nowMs);
    } else if (event.type === 'dropped') {
      this.#table.dropped(deviceId);
      this.#gathered.dropped(deviceId, event.reason);
    } else if (event.type === 'ping' || event.type === 'pong' || event.type === 'rekeyed') {
      this.#table.seen(deviceId, nowMs);
    }
  }

  #message(deviceId: string, payload: Uint8Array, nowMs: number): void {
    const message = this.#table.message(deviceId, payload, nowMs);
    if (!message) return;
    for (const subscription of this.#messages.of(deviceId)) subscription.arrived(message, nowMs);
  }

  #tell(event: BridgeEvent, nowMs: number): void {
    const deviceId = event.event === 'refused' ? null : event.deviceId;
    const json = JSON.stringify(event);
    this.#kept.push({ deviceId, json });
    if (this.#kept.length > MAX_KEPT_EVENTS) this.#kept.shift();
    for (const subscription of this.#events.of(deviceId)) subscription.happened(json, nowMs);
  }

  #caughtUp(subscription: EventSubscription, nowMs: number): EventSubscription {
    for (const { deviceId, json } of this.#kept) {
      if (listensTo(subscription, deviceId)) subscription.happened(json, nowMs);
    }
    return subscription;
  }
}

function added<S extends Subscription>(audience: Audience<S>, subscription: S): S {
  audience.add(subscription);
  return subscription;
}
