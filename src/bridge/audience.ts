/** What says which devices it is for; all, where it names none. */
export interface Listening {
  readonly deviceIds: ReadonlySet<string> | undefined;
}

/** What concerns no device is for those who listen to all. */
export const listensTo = ({ deviceIds }: Listening, deviceId: string | null): boolean =>
  !deviceIds || (deviceId !== null && deviceIds.has(deviceId));

/** Who listens to what, found by device. */
export class Audience<L extends Listening> {
  readonly #ofAll = new Set<L>();
  readonly #ofOne = new Map<string, Set<L>>();

  add(listener: L): void {
    if (!listener.deviceIds) this.#ofAll.add(listener);
    for (const deviceId of listener.deviceIds ?? []) {
      const set = this.#ofOne.get(deviceId);
      if (set) set.add(listener);
      else this.#ofOne.set(deviceId, new Set([listener]));
    }
  }

  delete(listener: L): void {
    this.#ofAll.delete(listener);
    for (const deviceId of listener.deviceIds ?? []) {
      const set = this.#ofOne.get(deviceId);
      set?.delete(listener);
      if (set?.size === 0) this.#ofOne.delete(deviceId);
    }
  }

  /** Those for whom `listensTo` holds. */
  of(deviceId: string | null): readonly L[] {
    const one = deviceId === null ? undefined : this.#ofOne.get(deviceId);
    return one ? [...this.#ofAll, ...one] : [...this.#ofAll];
  }
}
