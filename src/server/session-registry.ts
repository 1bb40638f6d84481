import type { UsmpSession } from '../session/usmp-session.js';

/** The sessions of a server, from the handshake to the close. */
export class SessionRegistry {
  readonly #sessions = new Map<string, UsmpSession>();
  readonly #rejected = new Set<UsmpSession>();
  /** The sessions that nobody has begun to close, by device, oldest first. */
  readonly #openByDevice = new Map<string, readonly UsmpSession[]>();
  #openCount = 0;

  /** Sessions that nobody has begun to close. */
  get openCount(): number {
    return this.#openCount;
  }

  /** Nothing is left to be closed. */
  get isEmpty(): boolean {
    return this.#sessions.size + this.#rejected.size === 0;
  }

  /** The sessions that are not closed, by session id. A copy: it does not change later. */
  get snapshot(): ReadonlyMap<string, UsmpSession> {
    return new Map(this.#sessions);
  }

  /** The sessions of a device that nobody has begun to close, oldest first. */
  openOf(deviceId: string): readonly UsmpSession[] {
    return this.#openByDevice.get(deviceId) ?? [];
  }

  add(session: UsmpSession): void {
    const { deviceId, sessionId } = session;
    this.#sessions.set(sessionId, session);
    this.#openByDevice.set(deviceId, [...this.openOf(deviceId), session]);
    this.#openCount++;
  }

  /** It is closed. */
  remove({ sessionId }: UsmpSession): void {
    this.#sessions.delete(sessionId);
  }

  /** Keeps a session that nobody is shown until it is closed. */
  addRejected(session: UsmpSession): void {
    this.#rejected.add(session);
  }

  /** It is closed. */
  removeRejected(session: UsmpSession): void {
    this.#rejected.delete(session);
  }

  /** Says BYE to all; who does not take it within the limit in milliseconds is cut off. */
  closeAll(limitMs: number): void {
    for (const session of [...this.#sessions.values(), ...this.#rejected]) session.beginClose(limitMs);
  }

  /** Somebody has begun to close it. */
  noLongerOpen(session: UsmpSession): void {
    const open = this.openOf(session.deviceId);
    if (!open.includes(session)) return;
    this.#openCount--;
    const rest = open.filter((one) => one !== session);
    if (rest.length > 0) this.#openByDevice.set(session.deviceId, rest);
    else this.#openByDevice.delete(session.deviceId);
  }
}
