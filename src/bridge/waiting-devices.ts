/** Devices of which something is to be sent, the one first that has waited longest. */
export class WaitingDevices {
  readonly #sinceMs = new Map<string, number>();

  get isEmpty(): boolean {
    return this.#sinceMs.size === 0;
  }

  /** Since when the first one waits. */
  get sinceMs(): number | undefined {
    const [first] = this.#sinceMs.values();
    return first;
  }

  /** False where the device waits already; it keeps its place. */
  add(deviceId: string, nowMs: number): boolean {
    if (this.#sinceMs.has(deviceId)) return false;
    this.#sinceMs.set(deviceId, nowMs);
    return true;
  }

  delete(deviceId: string): void {
    this.#sinceMs.delete(deviceId);
  }

  [Symbol.iterator](): Iterator<string> {
    return this.#sinceMs.keys();
  }
}
