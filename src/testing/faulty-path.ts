import type { SchedulerLike } from 'rxjs';
import { defaultScheduler } from '../session/default-scheduler.js';
import { FaultyLink, type LinkCounters } from './faulty-link.js';
import type { LinkConditions } from './link-conditions.js';

export type Direction = 'toServer' | 'toClient';

/** How bad each direction is; without conditions a direction has no faults. */
export type PathConditions = { readonly [D in Direction]?: LinkConditions };

export interface PathOptions extends PathConditions {
  /** The default is real time. */
  readonly scheduler?: SchedulerLike;
  /** What all faults follow from; the default is always the same. */
  readonly seed?: string | number;
}

/** The way between clients and a server, whose faults a test chooses, changes and counts. */
export interface BadPath {
  /** What each direction did so far. */
  readonly counters: Readonly<Record<Direction, LinkCounters>>;
  /**
   * Takes the place of all conditions of the directions that are given, for what is sent from now on.
   * @throws ConfigError `CONFIG_OPTION` that names the field
   */
  setConditions(conditions: PathConditions): void;
  /** From now on everything that is sent is lost, as in a blackout. What is under way arrives. */
  goDown(): void;
  comeUp(): void;
}

/** Carries datagrams both ways, each direction with faults of its own. Whatever arrives, arrives from the scheduler. */
export class FaultyPath implements BadPath {
  protected readonly scheduler: SchedulerLike;
  readonly #links: Readonly<Record<Direction, FaultyLink>>;
  readonly #startMs: number;

  /** @throws ConfigError `CONFIG_OPTION` that names the field */
  constructor({ scheduler = defaultScheduler, seed = 'usmp-rx', toServer = {}, toClient = {} }: PathOptions) {
    this.scheduler = scheduler;
    this.#startMs = scheduler.now();
    this.#links = {
      toServer: new FaultyLink(toServer, `${seed} to server`, 'toServer'),
      toClient: new FaultyLink(toClient, `${seed} to client`, 'toClient'),
    };
  }

  get counters(): Readonly<Record<Direction, LinkCounters>> {
    const { toServer, toClient } = this.#links;
    return { toServer: toServer.counters, toClient: toClient.counters };
  }

  setConditions({ toServer, toClient }: PathConditions): void {
    if (toServer) this.#links.toServer.setConditions(toServer);
    if (toClient) this.#links.toClient.setConditions(toClient);
  }

  goDown(): void {
    this.#setDown(true);
  }

  comeUp(): void {
    this.#setDown(false);
  }

  /** Calls `deliver` for each copy that arrives, when it arrives. */
  protected carry(direction: Direction, datagram: Uint8Array, deliver: (copy: Uint8Array) => void): void {
    const nowMs = this.scheduler.now() - this.#startMs;
    for (const copy of this.#links[direction].copies(datagram, nowMs)) {
      this.scheduler.schedule(() => deliver(copy.datagram), copy.delayMs);
    }
  }

  #setDown(isDown: boolean): void {
    this.#links.toServer.isDown = isDown;
    this.#links.toClient.isDown = isDown;
  }
}
