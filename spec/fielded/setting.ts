import type { Subscription } from 'rxjs';
import {
  datagramNetwork,
  SimulatedDatagramDevice,
  SimulatedDatagramGateway,
  testEnvironment,
  type DatagramBehaviour,
  type DatagramNetwork,
  type LinkConditions,
  type SimulatedDatagramPeer,
  type VirtualTime,
} from 'usmp-rx/testing';
import { nodeCrypto, UsmpClient, UsmpServer, type CloseInfo, type Session, type SessionEvent } from '../../src/node.js';
import type { CipherSuite, PacketType } from '../../src/protocol/index.js';
import type { SessionLimitOptions } from '../../src/session/session-limits.js';
import { nameOf } from '../testing/datagram-setting.js';

const PSK = '0123456789abcdef';
const DEVICE_ID = '00:11:22:33:44:55';
/** How long firmware waits before it dials again. */
const REDIAL_MS = 100;
const NO_KEEPALIVE_MS = 24 * 3_600_000;

/** What an end of our session may be where the peer can't be reached: it did not acknowledge, or was not heard. */
export const GIVEN_UP: readonly string[] = ['TIMEOUT_ACKNOWLEDGEMENT', 'TIMEOUT_IDLE'];

export interface SettingOptions {
  readonly behaviour: DatagramBehaviour;
  /** Of both sides. */
  readonly suite?: CipherSuite;
  /** Of both directions. */
  readonly path?: LinkConditions;
  /** Of our side. */
  readonly limits?: SessionLimitOptions;
  /** Of the client, fielded or ours; the default is longer than any test. */
  readonly keepaliveMs?: number;
  /** Of a fielded gateway. */
  readonly asksForCookie?: boolean;
}

/** Our side of one session. */
export class OurSession {
  readonly session: Session;
  readonly messages: Uint8Array[] = [];
  readonly events: SessionEvent[] = [];
  end: CloseInfo | undefined;
  #reading: Subscription | undefined;

  constructor(session: Session) {
    this.session = session;
    session.events$.subscribe((event) => this.events.push(event));
    void session.closed.then((info) => {
      this.end = info;
    });
    this.read();
  }

  read(): void {
    this.#reading = this.session.messages$.subscribe({
      next: (message) => this.messages.push(message),
      error: () => {},
    });
  }

  stopReading(): void {
    this.#reading?.unsubscribe();
  }
}

/** The fielded side of one session. */
export interface TheirSession {
  readonly peer: SimulatedDatagramPeer;
  readonly messages: Uint8Array[];
  /** The types of all authentic frames of ours. */
  readonly frames: PacketType[];
  end: CloseInfo | undefined;
}

/** Our side and a fielded one on a network; each has its sessions in the order in which they began to stand. */
export interface Setting {
  readonly time: VirtualTime;
  readonly network: DatagramNetwork;
  readonly ours: readonly OurSession[];
  readonly theirs: readonly TheirSession[];
}

export type OpenSetting = (options: SettingOptions) => Promise<Setting>;

/** The device dials, again and again where that fails, and after each session. */
export const fieldedDevice: OpenSetting = async ({ path, limits, keepaliveMs = NO_KEEPALIVE_MS, behaviour, suite }) => {
  const { environment, time, network, ours, theirs } = scene(path);
  const common = { ...environment, psk: PSK, ...(suite && { suite }) };
  const server = new UsmpServer({ ...common, ...limits });
  server.sessions$.subscribe((session) => ours.push(new OurSession(session)));
  await server.listen({ listeners: [network.listener('gateway')] });
  const dialer = network.dialer('gateway');
  const device = new SimulatedDatagramDevice({ ...common, dialer, deviceId: DEVICE_ID, behaviour, keepaliveMs });
  record(device, theirs);
  device.ends$.subscribe(() => time.schedule(() => void device.connect(), REDIAL_MS));
  void device.connect();
  return { time, network, ours, theirs };
};

/** The client connects, again and again where that fails, and after each session. */
export const fieldedGateway: OpenSetting = async (options) => {
  const { path, limits, keepaliveMs = NO_KEEPALIVE_MS, asksForCookie = true, behaviour, suite } = options;
  const { environment, time, network, ours, theirs } = scene(path);
  const common = { ...environment, psk: PSK, ...(suite && { suite }) };
  const listener = network.listener('gateway');
  const gateway = new SimulatedDatagramGateway({ ...common, listener, behaviour, asksForCookie });
  gateway.peers$.subscribe((peer) => record(peer, theirs));
  await gateway.listen();
  const transport = network.dialer('gateway');
  const client = new UsmpClient({ ...common, transport, deviceId: DEVICE_ID, keepaliveMs, ...limits });
  client.session$.subscribe((session) => ours.push(new OurSession(session)));
  void client.connect();
  return { time, network, ours, theirs };
};

/** A session that stands, of a setting that was opened just now. */
export async function standing({ time, ours, theirs }: Setting): Promise<{ our: OurSession; their: TheirSession }> {
  for (let ms = 0; ms < 20_000 && (!ours[0] || !theirs[0]); ms += 1_000) await time.advance(1_000);
  const [[our], [their]] = [ours, theirs];
  if (!our || !their) throw new Error('no session stands');
  return { our, their };
}

/** Loses the next datagram of a name, such as `HELLO` or `UTACK REKEY`, that either side sends, and no other. */
export function loseNext({ network }: Setting, name: string): void {
  let isLost = false;
  const watching = network.sent$.subscribe(({ datagram }) => {
    if (isLost) {
      network.comeUp();
      watching.unsubscribe();
    } else if (nameOf(datagram).startsWith(`${name} `)) {
      network.goDown();
      isLost = true;
    }
  });
}

function scene(path: LinkConditions = {}) {
  const environment = testEnvironment({ provider: nodeCrypto });
  const time = environment.scheduler;
  const network = datagramNetwork({ scheduler: time, toServer: path, toClient: path });
  const ours: OurSession[] = [];
  const theirs: TheirSession[] = [];
  return { environment, time, network, ours, theirs };
}

function record(peer: SimulatedDatagramPeer, theirs: TheirSession[]): void {
  let present: TheirSession | undefined;
  peer.state$.subscribe((state) => {
    if (state !== 'open') return;
    present = { peer, messages: [], frames: [], end: undefined };
    theirs.push(present);
  });
  peer.messages$.subscribe((message) => present?.messages.push(message));
  peer.frames$.subscribe(({ type }) => present?.frames.push(type));
  peer.ends$.subscribe((info) => {
    if (present) present.end = info;
    present = undefined;
  });
}
