import {
  defer,
  EMPTY,
  from,
  interval,
  merge,
  timer,
  catchError,
  finalize,
  mergeMap,
  repeat,
  takeUntil,
  tap,
} from 'rxjs';
import type { Observable } from 'rxjs';
import { nodeCrypto } from '../crypto/node.js';
import { FIELDED_DATAGRAM_PEERS } from '../testing/datagram-behaviour.js';
import { SimulatedDatagramDevice } from '../testing/simulated-datagram-device.js';
import { SimulatedDevice } from '../testing/simulated-device.js';
import type { DatagramDialer } from '../transport/datagram.js';
import type { Dialer } from '../transport/transport.js';

/** What a simulated device does while it is connected, and when it comes back. */
interface DeviceScript {
  readonly name: string;
  readonly deviceId: string;
  readonly transport: 'tcp' | 'udp';
  /** Milliseconds between messages. */
  readonly everyMs: number;
  readonly message: (n: number) => Uint8Array | string;
  /** Milliseconds between PINGs; none by default. */
  readonly pingMs?: number;
  /** Says BYE after this many milliseconds; stays by default. */
  readonly staysMs?: number;
  /** Comes back after this many milliseconds. */
  readonly absentMs: number;
  readonly knowsPsk?: false;
}

const wave = (n: number, around: number, by: number): number => Number((around + by * Math.sin(n / 7)).toFixed(2));

const SCRIPTS: readonly DeviceScript[] = [
  {
    name: 'thermometer',
    deviceId: '02:00:00:00:00:01',
    transport: 'tcp',
    everyMs: 1_000,
    absentMs: 2_000,
    message: (n) => JSON.stringify({ celsius: wave(n, 21, 3), humidity: wave(n, 45, 8) }),
  },
  {
    name: 'power meter',
    deviceId: '02:00:00:00:00:02',
    transport: 'tcp',
    everyMs: 1_500,
    absentMs: 2_000,
    message: (n) => new Uint8Array(Float32Array.from({ length: 16 }, (_, phase) => wave(n + phase, 230, 4)).buffer),
  },
  {
    name: 'camera',
    deviceId: '02:00:00:00:00:03',
    transport: 'tcp',
    everyMs: 3_000,
    absentMs: 2_000,
    message: (n) => Uint8Array.from({ length: 1_808 }, (_, at) => (at * n) & 0xff),
  },
  {
    name: 'door sensor',
    deviceId: '02:00:00:00:00:04',
    transport: 'tcp',
    everyMs: 7_000,
    pingMs: 2_500,
    absentMs: 2_000,
    message: (n) => (n % 2 === 0 ? 'open' : 'closed'),
  },
  {
    name: 'soil probe',
    deviceId: '02:00:00:00:00:05',
    transport: 'tcp',
    everyMs: 400,
    staysMs: 1_000,
    absentMs: 5_000,
    message: (n) => JSON.stringify({ moisture: wave(n, 30, 5) }),
  },
  {
    name: 'weather mast',
    deviceId: '02:00:00:00:00:07',
    transport: 'udp',
    everyMs: 2_000,
    pingMs: 10_000,
    absentMs: 2_000,
    message: (n) => JSON.stringify({ wind: wave(n, 6, 4), hPa: wave(n, 1013, 9) }),
  },
  {
    name: 'water meter',
    deviceId: '02:00:00:00:00:08',
    transport: 'udp',
    everyMs: 1_000,
    staysMs: 2_500,
    absentMs: 4_000,
    message: (n) => new Uint8Array(Float64Array.from({ length: 64 }, (_, at) => wave(n + at, 12, 2)).buffer),
  },
  {
    name: 'stranger',
    deviceId: '02:00:00:00:00:06',
    transport: 'tcp',
    everyMs: 1_000,
    absentMs: 6_000,
    message: () => 'let me in',
    knowsPsk: false,
  },
];

/** The names of the simulated devices by device id. */
export const FLEET_NAMES: ReadonlyMap<string, string> = new Map(SCRIPTS.map(({ deviceId, name }) => [deviceId, name]));

/** How the gateway is reached. */
export interface Dialers {
  readonly tcp: Dialer;
  readonly udp: DatagramDialer;
}

/** Runs all simulated devices until it is left; emits nothing and never errors. They then cut their connections. */
export function runFleet(dialers: Dialers, psk: string): Observable<never> {
  return merge(...SCRIPTS.map((script, n) => timer(n * 200).pipe(mergeMap(() => runDevice(script, dialers, psk)))));
}

function runDevice(script: DeviceScript, dialers: Dialers, psk: string): Observable<never> {
  const options = {
    deviceId: script.deviceId,
    psk: script.knowsPsk === false ? 'not the PSK of this gateway' : psk,
    crypto: nodeCrypto,
    keepaliveMs: 15_000,
  };
  const device =
    script.transport === 'tcp'
      ? new SimulatedDevice({ ...options, dialer: dialers.tcp })
      : new SimulatedDatagramDevice({ ...options, dialer: dialers.udp, behaviour: FIELDED_DATAGRAM_PEERS.esp32 });
  return defer(() => from(device.connect())).pipe(
    mergeMap(() => behave(script, device)),
    // A device that can't get in, or is thrown out, tries again later: that is all that firmware can do.
    catchError(() => EMPTY),
    repeat({ delay: script.absentMs }),
    finalize(() => device.cut()),
  );
}

/** One stay: messages and PINGs until the device or the gateway ends it. */
function behave(
  { everyMs, message, pingMs, staysMs }: DeviceScript,
  device: SimulatedDevice | SimulatedDatagramDevice,
): Observable<never> {
  const messages$ = timer(0, everyMs).pipe(tap((n) => void device.send(message(n))));
  const pings$ = pingMs === undefined ? EMPTY : interval(pingMs).pipe(tap(() => void device.ping()));
  // A command from the dashboard gets an answer.
  const answers$ = device.messages$.pipe(tap((command) => void device.send(command)));
  const bye$ = staysMs === undefined ? EMPTY : timer(staysMs).pipe(tap(() => void device.bye()));
  return merge(messages$, pings$, answers$, bye$).pipe(
    mergeMap(() => EMPTY),
    takeUntil(device.ends$),
  );
}
