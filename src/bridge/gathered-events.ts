import { clipped } from './dashboard-event.js';
import type { BridgeEvent } from './protocol.js';

type Gathered = Extract<BridgeEvent, { readonly event: 'dropped' | 'refused' }>;
/** Without the time, and how often. */
type Kind =
  | Omit<Extract<Gathered, { readonly event: 'dropped' }>, 'atMs' | 'count'>
  | Omit<Extract<Gathered, { readonly event: 'refused' }>, 'atMs' | 'count'>;

/** Addresses and devices that are told apart at one time. */
const MAX_KINDS = 1_000;
/** What stands for the addresses beyond that. */
const OTHERS = 'others';

/** Drops and refusals, which come in thousands when they come: counted until they are taken. */
export class GatheredEvents {
  #counts = new Map<string, { readonly kind: Kind; count: number }>();

  dropped(deviceId: string | null, reason: string): void {
    this.#count({ event: 'dropped', deviceId, reason });
  }

  /** @param remoteAddress whose port is left out, for a peer that is refused comes back from another one */
  refused(remoteAddress: string, reason: string): void {
    this.#count({ event: 'refused', remoteAddress: clipped(remoteAddress.replace(/:\d+$/, '')), reason });
  }

  /** What was counted since the last time. */
  take(atMs: number): readonly BridgeEvent[] {
    if (this.#counts.size === 0) return [];
    const taken = Array.from(this.#counts.values(), ({ kind, count }): BridgeEvent => ({ ...kind, atMs, count }));
    this.#counts = new Map();
    return taken;
  }

  #count(kind: Kind): void {
    const counted = this.#counts.get(keyOf(kind));
    if (counted) counted.count++;
    else if (this.#counts.size < MAX_KINDS || isRest(kind)) this.#counts.set(keyOf(kind), { kind, count: 1 });
    else this.#count(restOf(kind));
  }
}

const whoseOf = (kind: Kind): string => (kind.event === 'dropped' ? (kind.deviceId ?? '') : kind.remoteAddress);
const keyOf = (kind: Kind): string => `${kind.event} ${whoseOf(kind)} ${kind.reason}`;

const restOf = (kind: Kind): Kind =>
  kind.event === 'dropped' ? { ...kind, deviceId: null } : { ...kind, remoteAddress: OTHERS };
const isRest = (kind: Kind): boolean => keyOf(kind) === keyOf(restOf(kind));
