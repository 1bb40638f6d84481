import type { VirtualTime } from '../../../src/testing/index.js';
import type { DatagramSink, DatagramTransport } from '../../../src/transport/datagram.js';
import { nameOf, type Loses } from '../../testing/datagram-setting.js';

/** One end of a way for datagrams. */
export class LineEnd implements DatagramTransport {
  readonly kind = 'udp';
  readonly remoteAddress: string;
  /** What became of it. */
  state: 'open' | 'claimed' | 'destroyed' | 'retired' = 'open';
  readonly #carry: (datagram: Uint8Array) => void;
  #sink: DatagramSink | undefined;

  constructor(remoteAddress: string, carry: (datagram: Uint8Array) => void) {
    this.remoteAddress = remoteAddress;
    this.#carry = carry;
  }

  attach(sink: DatagramSink): void {
    this.#sink = sink;
  }

  send(datagram: Uint8Array): void {
    if (this.state === 'open' || this.state === 'claimed') this.#carry(datagram);
  }

  claim(): void {
    this.state = 'claimed';
  }

  destroy(): void {
    this.state = 'destroyed';
    this.#sink = undefined;
  }

  retire(last: Uint8Array, answer: Uint8Array): void {
    this.state = 'retired';
    this.#sink = {
      datagram: (datagram) => {
        if (nameOf(datagram) === nameOf(last)) this.#carry(answer);
      },
      end() {},
    };
  }

  /** A datagram arrives. */
  deliver(datagram: Uint8Array): void {
    this.#sink?.datagram(datagram);
  }

  /** Nothing can come any more. */
  end(cause: unknown): void {
    const sink = this.#sink;
    this.#sink = undefined;
    sink?.end(cause);
  }
}

/** A way for datagrams in virtual time, on which a test chooses one by one what is lost. */
export interface DatagramLine {
  readonly client: LineEnd;
  readonly server: LineEnd;
  /** Everything that was sent: `> HELLO 0` to the server, `< UTACK HELLO 0` to the client. */
  readonly log: string[];
  /** When each of them was sent, in milliseconds. */
  readonly times: number[];
  /** Each of them as it was sent. */
  readonly datagrams: Uint8Array[];
  /** What is lost; the default is nothing. */
  loses: Loses;
}

/** @param delayMs one way */
export function datagramLine(time: VirtualTime, delayMs: number): DatagramLine {
  const carry = (direction: 'toServer' | 'toClient', datagram: Uint8Array): void => {
    line.log.push(`${direction === 'toServer' ? '>' : '<'} ${nameOf(datagram)}`);
    line.times.push(time.frame);
    line.datagrams.push(datagram);
    if (line.loses(direction, datagram)) return;
    time.schedule(() => (direction === 'toServer' ? line.server : line.client).deliver(datagram), delayMs);
  };
  const line: DatagramLine = {
    client: new LineEnd('server:1', (datagram) => carry('toServer', datagram)),
    server: new LineEnd('client:1', (datagram) => carry('toClient', datagram)),
    log: [],
    times: [],
    datagrams: [],
    loses: () => false,
  };
  return line;
}

/** Loses everything. */
export const losesAll: Loses = () => true;

/** Loses every datagram of these names, in both directions. */
export const losesNamed =
  (...names: readonly string[]): Loses =>
  (_, datagram) =>
    names.includes(nameOf(datagram));
