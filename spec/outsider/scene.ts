import { datagramNetwork, testEnvironment, type SentDatagram } from 'usmp-rx/testing';
import { nodeCrypto, UsmpClient, UsmpServer, type ServerOptions, type Session } from '../../src/node.js';
import type { ClientOptions } from '../../src/client/client-options.js';
import type { PeerAddress } from '../../src/transport/datagram.js';
import { pattern } from '../protocol/pair.js';
import { nameOf } from '../testing/datagram-setting.js';
import { Conversation, expectAlive, type End } from './conversation.js';

export const DEVICE_ID = '00:11:22:33:44:55';
export const GATEWAY: PeerAddress = { address: 'gateway', port: 1 };
const DEVICE_HOST = 'device';
const delayMs = 10;

export interface SceneOptions {
  readonly server?: Partial<ServerOptions>;
  readonly client?: Partial<ClientOptions>;
}

/** What the attacked end made of an attack. */
export interface Outcome {
  readonly dropped: number;
  /** The names of what it sent within the same moment. */
  readonly answers: readonly string[];
}

interface Recorded extends SentDatagram {
  readonly sentMs: number;
  /** It never arrived. */
  isLost: boolean;
}

/** Our server and our client with a session, and what an outsider hears of it and does to it. */
export class Scene {
  readonly #environment = testEnvironment({ provider: nodeCrypto });
  readonly time = this.#environment.scheduler;
  readonly network = datagramNetwork({ scheduler: this.time, toServer: { delayMs }, toClient: { delayMs } });
  readonly server: UsmpServer;
  readonly client: UsmpClient;
  /** Everything that was sent, by whomever. */
  readonly recorded: Recorded[] = [];
  conversation!: Conversation;
  /** What the server sees of the device. */
  device!: PeerAddress;
  #isDown = false;

  private constructor({ server, client }: SceneOptions) {
    this.network.sent$.subscribe((sent) => {
      this.recorded.push({ ...sent, sentMs: this.time.now(), isLost: this.#isDown });
    });
    this.server = new UsmpServer({ psk: pattern(32, 1), ...this.#environment, ...server });
    this.client = this.newClient(client);
  }

  /** With an established session that works. */
  static async open(options: SceneOptions = {}): Promise<Scene> {
    const scene = new Scene(options);
    await scene.server.listen({ listeners: [scene.network.listener(GATEWAY.address)] });
    void scene.client.connect();
    await scene.#stand();
    return scene;
  }

  /** The device loses its session and comes back from another port. */
  async reconnect(): Promise<void> {
    void this.sessions.server.bye();
    await this.time.advance(10_000);
    await this.#stand();
  }

  async #stand(): Promise<void> {
    await this.time.advance(1_000);
    const server = this.server.session(DEVICE_ID)!;
    this.conversation = new Conversation({ server, client: await this.client.connect() });
    this.device = { address: DEVICE_HOST, port: Number(server.remoteAddress.split(':')[1]) };
    await this.expectAlive();
  }

  /** Another client, at a host of its own. */
  newClient(options: Partial<ClientOptions> = {}, host = DEVICE_HOST): UsmpClient {
    const transport = this.network.dialer(GATEWAY.address, { host });
    return new UsmpClient({ transport, deviceId: DEVICE_ID, psk: pattern(32, 1), ...this.#environment, ...options });
  }

  get sessions(): Readonly<Record<End, Session>> {
    return this.conversation.sessions;
  }

  /** What has arrived: to let something arrive that did not is no replay. */
  get past(): readonly SentDatagram[] {
    return this.recorded.filter(({ sentMs, isLost }) => !isLost && sentMs + delayMs <= this.time.now());
  }

  /** The bytes of everything that an end sent, in order. */
  sentBy(end: End): Uint8Array[] {
    const direction = directionOf(end);
    return this.recorded.filter((sent) => sent.direction === direction).map(({ datagram }) => datagram);
  }

  /** The sequence number that the next sealed frame of an end has; anybody can read it. */
  nextSeq(end: End): number {
    const last = this.sentBy(end)
      .filter((datagram) => datagram[0] === 0xcd && datagram[3]! >= 5)
      .at(-1);
    return last ? new DataView(last.buffer, last.byteOffset).getUint32(4, true) + 1 : 0;
  }

  /** Datagrams arrive at an end all at once, by default as if they came from the other one. */
  async attack(end: End, datagrams: readonly Uint8Array[], from = this.addressOpposite(end)): Promise<Outcome> {
    const to = end === 'server' ? GATEWAY : this.device;
    const droppedBefore = this.#dropped(end);
    const sentBefore = this.sentBy(end).length;
    for (const datagram of datagrams) this.network.inject(datagram, { from, to });
    await this.time.advance();
    return { dropped: this.#dropped(end) - droppedBefore, answers: this.sentBy(end).slice(sentBefore).map(nameOf) };
  }

  /** From the first datagram of this name on, that one included, everything is lost. */
  loseFrom(end: End, name: string): void {
    const subscription = this.network.sent$.subscribe(({ direction, datagram }) => {
      if (direction !== directionOf(end) || !nameOf(datagram).startsWith(name)) return;
      subscription.unsubscribe();
      this.recorded.at(-1)!.isLost = true;
      this.goDown();
    });
  }

  goDown(): void {
    this.#isDown = true;
    this.network.goDown();
  }

  comeUp(): void {
    this.#isDown = false;
    this.network.comeUp();
  }

  expectAlive(withinMs?: number): Promise<void> {
    return expectAlive(this.conversation, this.time, withinMs);
  }

  addressOpposite(end: End): PeerAddress {
    return end === 'server' ? this.device : GATEWAY;
  }

  #dropped(end: End): number {
    if (end === 'client') return this.conversation.drops.client;
    return Object.values(this.server.counters.dropped).reduce((sum, count) => sum + count, 0);
  }
}

const directionOf = (end: End): SentDatagram['direction'] => (end === 'server' ? 'toClient' : 'toServer');
