import type { Observable, Subscription } from 'rxjs';
import { nodeCrypto } from '../../../src/crypto/node.js';
import {
  encodeFrame,
  PacketType,
  parseDeviceId,
  parsePsk,
  type CryptoProvider,
  type Secret,
  type UsmpError,
} from '../../../src/protocol/index.js';
import { encodeAcknowledgement } from '../../../src/protocol/datagram/acknowledgement.js';
import type { DatagramHandshakeResult } from '../../../src/session/datagram/handshake.js';
import { runClientHandshake, runServerHandshake, type PskLookup } from '../../../src/session/handshake.js';
import { VirtualTime } from '../../../src/testing/index.js';
import { pattern } from '../../protocol/pair.js';
import type { Loses } from '../../testing/datagram-setting.js';
import { datagramLine } from './datagram-line.js';

export const PSK = parsePsk('0123456789abcdef');
export const OTHER_PSK = parsePsk('fedcba9876543210');
export const DEVICE_ID = parseDeviceId('00:11:22:33:44:55');

interface Conditions {
  readonly clientPsk?: Secret;
  readonly clientCrypto?: CryptoProvider;
  readonly lookUp?: PskLookup;
  readonly loses?: Loses;
  /** One way; the default is 10. */
  readonly delayMs?: number;
  /** The default is 60 s, so that attempts run out before it. */
  readonly timeoutMs?: number;
  /** Leaves one side to the test. */
  readonly without?: 'client' | 'server';
}

/** How one side fared. */
export class Outcome {
  /** `pending`, `established`, or the code of the error. */
  state = 'pending';
  endedMs: number | undefined;
  error: UsmpError | undefined;
  result: DatagramHandshakeResult | undefined;
  /** Why datagrams were passed over. */
  readonly drops: string[] = [];
  readonly peerErrors: number[] = [];
  /** How often it was told anything. */
  ends = 0;
  subscription: Subscription | undefined;
}

/** Two handshake drivers on a line, without a router between: HELLO_RETRY comes only from a test. */
export function shakeHands({ timeoutMs = 60_000, delayMs = 10, ...conditions }: Conditions = {}) {
  const time = new VirtualTime();
  const line = datagramLine(time, delayMs);
  line.loses = conditions.loses ?? line.loses;
  const [client, server] = [new Outcome(), new Outcome()];
  const environment = (crypto: CryptoProvider, outcome: Outcome) => ({
    crypto,
    scheduler: time,
    timeoutMs,
    onPeerError: (code: number) => outcome.peerErrors.push(code),
    onDropped: (reason: string) => outcome.drops.push(reason),
  });
  const observe = (result$: Observable<DatagramHandshakeResult>, outcome: Outcome): void => {
    const end = (state: string): void => {
      outcome.state = state;
      outcome.endedMs = time.frame;
      outcome.ends++;
    };
    outcome.subscription = result$.subscribe({
      next: (result) => {
        end('established');
        outcome.result = result;
      },
      error: (error: unknown) => {
        end((error as UsmpError).code);
        outcome.error = error as UsmpError;
      },
    });
  };
  if (conditions.without !== 'server') {
    const lookUp = conditions.lookUp ?? (() => [PSK]);
    observe(runServerHandshake(line.server, lookUp, environment(nodeCrypto, server)), server);
  }
  if (conditions.without !== 'client') {
    const crypto = conditions.clientCrypto ?? nodeCrypto;
    const psk = conditions.clientPsk ?? PSK;
    observe(runClientHandshake(line.client, DEVICE_ID, psk, environment(crypto, client)), client);
  }
  /** What an outsider, or a peer played by the test, sends. */
  const say = {
    toServer: (...datagrams: readonly Uint8Array[]): void => datagrams.forEach((one) => line.client.send(one)),
    toClient: (...datagrams: readonly Uint8Array[]): void => datagrams.forEach((one) => line.server.send(one)),
  };
  /** When datagrams of this name were sent. */
  const sentMs = (entry: string): number[] => line.times.filter((_, at) => line.log[at] === entry);
  return { time, line, client, server, say, sentMs };
}

const { HELLO, CHALLENGE, HELLO_ACK, SESSION_OK, HELLO_RETRY } = PacketType;

/** Well-formed frames that anybody can make, other ones for each `seed`. */
export const forged = {
  hello: (seed: number) => encodeFrame(HELLO, 0, pattern(38, seed)),
  challenge: (seed: number) => encodeFrame(CHALLENGE, 0, pattern(64, seed)),
  helloAck: (seed: number) => encodeFrame(HELLO_ACK, 2, pattern(32, seed)),
  sessionOk: (seed: number) => encodeFrame(SESSION_OK, 0, pattern(48, seed)),
  helloRetry: (seed: number) => encodeFrame(HELLO_RETRY, 0, pattern(16, seed)),
  error: (code: number) => encodeFrame(PacketType.ERROR, 0, Uint8Array.of(code, 0, 0)),
};

export const acknowledgement = {
  hello: encodeAcknowledgement(HELLO, 0),
  helloWithCookie: encodeAcknowledgement(HELLO, 1),
  challenge: encodeAcknowledgement(CHALLENGE, 0),
  helloAck: encodeAcknowledgement(HELLO_ACK, 2),
  sessionOk: encodeAcknowledgement(SESSION_OK, 0),
};
