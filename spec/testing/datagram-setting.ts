import { map, type Observable } from 'rxjs';
import {
  datagramNetwork,
  SimulatedDatagramDevice,
  SimulatedDatagramGateway,
  testEnvironment,
  type Direction,
  type PathConditions,
  type SimulatedDatagramDeviceOptions,
  type SimulatedDatagramGatewayOptions,
  type SimulatedDatagramPeer,
} from 'usmp-rx/testing';
import { nodeCrypto } from '../../src/crypto/node.js';
import { packetTypeName } from '../../src/protocol/index.js';
import type { DatagramDialer, DatagramTransport } from '../../src/transport/datagram.js';

export const PSK = '0123456789abcdef';
export const DEVICE_ID = '00:11:22:33:44:55';

/** Whether a datagram is lost; asked for each one as it passes the device. */
export type Loses = (direction: Direction, datagram: Uint8Array) => boolean;

export interface DatagramSetting {
  readonly device?: Partial<SimulatedDatagramDeviceOptions>;
  readonly gateway?: Partial<SimulatedDatagramGatewayOptions>;
  readonly path?: PathConditions;
  readonly loses?: Loses;
}

/** A simulated device and a simulated gateway on one network, and a log of what they send: `> HELLO 0`, `< UTACK HELLO 0`. */
export function datagramSetting({ device: deviceOptions, gateway: gatewayOptions, path, loses }: DatagramSetting = {}) {
  const environment = testEnvironment({ provider: nodeCrypto });
  const time = environment.scheduler;
  const network = datagramNetwork({ ...path, scheduler: time });
  const log: string[] = [];
  network.sent$.subscribe(({ direction, datagram }) => {
    log.push(`${direction === 'toServer' ? '>' : '<'} ${nameOf(datagram)}`);
  });
  const gateway = new SimulatedDatagramGateway({
    ...environment,
    listener: network.listener('gateway'),
    psk: PSK,
    ...gatewayOptions,
  });
  void gateway.listen();
  const dialer = network.dialer('gateway', { host: 'device' });
  const device = new SimulatedDatagramDevice({
    ...environment,
    dialer: loses ? losing(dialer, loses) : dialer,
    deviceId: DEVICE_ID,
    psk: PSK,
    ...deviceOptions,
  });
  return { time, network, gateway, device, log };
}

export async function connectedDatagrams(options?: DatagramSetting) {
  const made = datagramSetting(options);
  void made.device.connect();
  await made.time.advance(5_000);
  const peer = made.gateway.latest;
  if (peer?.state !== 'open' || made.device.state !== 'open') throw new Error('the session does not stand');
  return { ...made, peer };
}

/** `HELLO 0`, or `UTACK HELLO 0`. */
export function nameOf(datagram: Uint8Array): string {
  if (datagram.length < 7) return 'nothing';
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.byteLength);
  return datagram[0] === 0xac
    ? `UTACK ${packetTypeName(datagram[2]!)} ${view.getUint32(3, true)}`
    : `${packetTypeName(datagram[3]!)} ${view.getUint32(4, true)}`;
}

/** Loses the first datagrams of this name, `count` of them. */
export function losesFirst(direction: Direction, name: string, count = 1): Loses {
  let lost = 0;
  return (way, datagram) => way === direction && nameOf(datagram) === name && lost++ < count;
}

export function endsOf(peer: SimulatedDatagramPeer): (string | undefined)[] {
  const ends: (string | undefined)[] = [];
  peer.ends$.subscribe(({ origin, error }) => ends.push(error?.code ?? `${origin} without error`));
  return ends;
}

export function collect<T>(values$: Observable<T>): T[] {
  const values: T[] = [];
  values$.subscribe((value) => values.push(value));
  return values;
}

function losing(dialer: DatagramDialer, loses: Loses): DatagramDialer {
  const through = (transport: DatagramTransport): DatagramTransport => ({
    kind: 'udp',
    remoteAddress: transport.remoteAddress,
    attach: (sink) =>
      transport.attach({
        datagram: (datagram) => {
          if (!loses('toClient', datagram)) sink.datagram(datagram);
        },
        end: (cause) => sink.end(cause),
      }),
    send: (datagram) => {
      if (!loses('toServer', datagram)) transport.send(datagram);
    },
    claim: () => transport.claim(),
    destroy: () => transport.destroy(),
    retire: (last, answer) => transport.retire(last, answer),
  });
  return { kind: 'udp', dial: () => dialer.dial().pipe(map(through)) };
}
