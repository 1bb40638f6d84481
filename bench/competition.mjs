/**
 * Competitors that take turns, round by round, so that whatever happens on the machine happens to all. One that fails leaves; the
 * others go on.
 *
 * @template {{ stop: () => Promise<unknown> }} C
 */
export class Competition {
  /** @type {Map<string, C>} */
  #running = new Map();
  /** @type {Map<string, string>} */
  #failed = new Map();
  #names;
  #isWarm = false;

  /**
   * @template {{ stop: () => Promise<unknown> }} C
   * @param {string[]} names
   * @param {(name: string) => Promise<C>} start
   * @returns {Promise<Competition<C>>}
   */
  static async start(names, start) {
    const competition = new Competition(names);
    await competition.#attemptAll(names, async (name) => competition.#running.set(name, await start(name)));
    return competition;
  }

  constructor(names) {
    this.#names = names;
  }

  /** Prepares all of them at once. */
  prepare(action) {
    return this.#attemptAll([...this.#running.keys()], (name) => action(this.#running.get(name)));
  }

  /**
   * One round to warm up, which is not counted and is longer the first time, then `rounds`; each begins with another competitor.
   *
   * @param {{ rounds: number, ms: number, warmUpMs: number }} scale
   * @param {(competitor: C, ms: number, name: string) => Promise<Record<string, number>>} measure
   * @returns {Promise<{ name: string, samples?: Record<string, number>[], failed?: string }[]>}
   */
  async measure({ rounds, ms, warmUpMs }, measure) {
    const warmUp = this.#isWarm ? ms : warmUpMs;
    this.#isWarm = true;
    const samples = new Map(this.#names.map((name) => [name, []]));
    for (let round = warmUp > 0 ? -1 : 0; round < rounds; round++) {
      for (const name of rotated(this.#names, round)) {
        if (!this.#running.has(name)) continue;
        await this.#attempt(name, async () => {
          const sample = await measure(this.#running.get(name), round < 0 ? warmUp : ms, name);
          if (round >= 0) samples.get(name).push(sample);
        });
      }
    }
    return this.#names.map((name) =>
      this.#failed.has(name) ? { name, failed: this.#failed.get(name) } : { name, samples: samples.get(name) },
    );
  }

  async stop() {
    await Promise.all([...this.#running.values()].map((competitor) => competitor.stop()));
    this.#running.clear();
  }

  #attemptAll(names, action) {
    return Promise.all(names.map((name) => this.#attempt(name, () => action(name))));
  }

  async #attempt(name, action) {
    try {
      await action();
    } catch (error) {
      this.#failed.set(name, error.message);
      const competitor = this.#running.get(name);
      this.#running.delete(name);
      await competitor?.stop();
    }
  }
}

function rotated(names, round) {
  const first = Math.max(0, round) % names.length;
  return [...names.slice(first), ...names.slice(0, first)];
}
