import { BehaviorSubject, Subject, Subscription, type Observable, type SchedulerLike } from 'rxjs';
import { nobleCrypto } from '../crypto/noble.js';
import {
  ConnectionClosedError,
  formatDeviceId,
  InvalidStateError,
  PacketType,
  TimeoutError,
  toHex,
  type CipherSuite,
  type CryptoProvider,
  type OpenedFrame,
  type UsmpError,
} from '../protocol/index.js';
import { abortable } from '../session/abort.js';
import { defaultScheduler } from '../session/default-scheduler.js';
import type { CloseInfo } from '../session/session.js';
import type { DatagramTransport } from '../transport/datagram.js';
import { FIELDED_DATAGRAM_PEERS, type DatagramBehaviour } from './datagram-behaviour.js';
import {
  DatagramPeerLink,
  type DatagramHandshake,
  type DatagramPeerSettings,
  type HandshakeLink,
} from './datagram-peer-link.js';
import type { DatagramPeerSession } from './datagram-peer-session.js';
import type { FrameRecipe } from './peer-channel.js';
import type { PeerState } from './simulated-peer.js';

export interface SimulatedDatagramPeerOptions {
  /** The default is `nobleCrypto`. */
  readonly crypto?: CryptoProvider;
  /** The default is real time. */
  readonly scheduler?: SchedulerLike;
  /** The default is 10 s. */
  readonly handshakeTimeoutMs?: number;
  /** The default is `aes-256-gcm`. */
  readonly suite?: CipherSuite;
  /** Sends PING when it has sent nothing for this long; the default is never. On virtual time that goes on for ever. */
  readonly keepaliveMs?: number;
  /** Whether it answers PING; the default is true. */
  readonly answersPings?: boolean;
  /** The default is the ideal one. */
  readonly behaviour?: DatagramBehaviour;
}

/**
 * One side of USMP on UDP as it is in the field, to test the other side against (protocol.md sections 7 and 9). Frames leave
 * one after the other, each when the one before is acknowledged; after 5 attempts the session is lost. Promises of what is sent
 * resolve with the acknowledgement of its last frame; they reject with a UsmpError where the session ends before, and need no
 * handler. Observables never error and never complete; all but `state$` are hot.
 */
export class SimulatedDatagramPeer {
  /** The present state first. */
  readonly state$: Observable<PeerState>;
  /** The messages of the other side. */
  readonly messages$: Observable<Uint8Array>;
  /** Every authentic frame of the other side, once. */
  readonly frames$: Observable<OpenedFrame>;
  /** Every datagram of the other side, acknowledgements and repeats included, as it came. */
  readonly datagrams$: Observable<Uint8Array>;
  /** How each session or attempt ended; TimeoutError `TIMEOUT_SEND` where it was lost. */
  readonly ends$: Observable<CloseInfo>;

  readonly #settings: DatagramPeerSettings;
  readonly #handshakeTimeoutMs: number;
  readonly #states$ = new BehaviorSubject<PeerState>('idle');
  readonly #messages$ = new Subject<Uint8Array>();
  readonly #frames$ = new Subject<OpenedFrame>();
  readonly #datagrams$ = new Subject<Uint8Array>();
  readonly #ends$ = new Subject<CloseInfo>();
  #attempt: Subscription | undefined;
  #link: DatagramPeerLink | undefined;

  constructor(options: SimulatedDatagramPeerOptions = {}) {
    this.#settings = {
      crypto: options.crypto ?? nobleCrypto,
      scheduler: options.scheduler ?? defaultScheduler,
      suite: options.suite ?? 'aes-256-gcm',
      keepaliveMs: options.keepaliveMs,
      answersPings: options.answersPings ?? true,
      behaviour: options.behaviour ?? FIELDED_DATAGRAM_PEERS.ideal,
    };
    this.#handshakeTimeoutMs = options.handshakeTimeoutMs ?? 10_000;
    this.state$ = this.#states$.asObservable();
    this.messages$ = this.#messages$.asObservable();
    this.frames$ = this.#frames$.asObservable();
    this.datagrams$ = this.#datagrams$.asObservable();
    this.ends$ = this.#ends$.asObservable();
  }

  get state(): PeerState {
    return this.#states$.value;
  }

  /** The device of the session. Like everything that needs a session, throws InvalidStateError `WRONG_STATE` without one. */
  get deviceId(): string {
    return formatDeviceId(this.#session.established.deviceId);
  }

  /** 32 hexadecimal digits. */
  get sessionId(): string {
    return toHex(this.#session.established.sessionId);
  }

  /** The sequence number that the next frame takes; what waits for its turn has none yet. */
  get nextSeq(): number {
    return this.#session.nextSeq;
  }

  /** Sends a message of 0 to 1808 bytes. */
  send(message: Uint8Array | string): Promise<void> {
    return this.#session.send(message);
  }

  ping(): Promise<void> {
    return this.#session.deliver(PacketType.PING);
  }

  /** Sends REKEY, and goes on under the new keys when it is acknowledged. */
  rekey(): Promise<void> {
    return this.#session.rekey();
  }

  /** Sends BYE and ends the session when it is acknowledged, or given up, which is no failure. */
  bye(): Promise<void> {
    const said = this.#session.deliver(PacketType.BYE);
    const end = (): void => this.#close({ origin: 'local' });
    return said.then(end, end);
  }

  /** Ends the session or the attempt without a word. */
  cut(): void {
    this.#close({ origin: 'local' });
  }

  /** Takes in nothing more and so acknowledges nothing; what comes meanwhile is lost. */
  stopReading(): void {
    this.#open.isDeaf = true;
  }

  resumeReading(): void {
    this.#open.isDeaf = false;
  }

  /** Sends a sealed frame with anything in it, right or wrong: at once, once, and without waiting for anything. */
  sendFrame(recipe: FrameRecipe): void {
    this.#open.transmit(this.forge(recipe));
  }

  /** The datagram that `sendFrame` would send: to send it twice, changed, or not at all. */
  forge(recipe: FrameRecipe): Uint8Array {
    return this.#session.forge(recipe);
  }

  /** Sends a datagram as it is. Needs a session or an attempt at one. */
  sendRaw(datagram: Uint8Array): void {
    this.#open.transmit(datagram);
  }

  /** Shakes hands on the transport. Resolves when the session stands. A rejection needs no handler: `ends$` tells as well. */
  protected attempt(
    transport$: Observable<DatagramTransport>,
    handshake: (link: HandshakeLink) => DatagramHandshake,
  ): Promise<void> {
    return abortable(undefined, (resolve, reject) => {
      if (this.state === 'connecting' || this.state === 'open') reject(withoutSession(this.state));
      else this.#begin(transport$, handshake, resolve, reject);
      return () => {};
    });
  }

  #begin(
    transport$: Observable<DatagramTransport>,
    handshake: (link: HandshakeLink) => DatagramHandshake,
    resolve: () => void,
    reject: (error: UsmpError) => void,
  ): void {
    const fail = (error: UsmpError): void => {
      reject(error);
      this.#close({ origin: error.origin, error });
    };
    const timeout = this.#settings.scheduler.schedule(
      () => fail(new TimeoutError('TIMEOUT_HANDSHAKE', 'the other side did not complete the handshake')),
      this.#handshakeTimeoutMs,
    );
    const onEstablished = (): void => {
      timeout.unsubscribe();
      resolve();
      this.#states$.next('open');
    };
    const attempt = new Subscription(() => reject(withoutSession('closed')));
    this.#attempt = attempt;
    attempt.add(timeout);
    this.#states$.next('connecting');
    const dialing = transport$.subscribe({
      next: (transport) => {
        this.#link = new DatagramPeerLink(transport, this.#linkOptions(onEstablished, reject), handshake);
        this.#link.start();
      },
      error: fail,
    });
    attempt.add(dialing);
  }

  #linkOptions(onEstablished: () => void, reject: (error: UsmpError) => void) {
    return {
      ...this.#settings,
      onEstablished,
      onDatagram: (datagram: Uint8Array) => this.#datagrams$.next(datagram),
      onFrame: (frame: OpenedFrame) => this.#frames$.next(frame),
      onMessage: (message: Uint8Array) => this.#messages$.next(message),
      onEnd: (info: CloseInfo) => {
        if (info.error) reject(info.error);
        this.#close(info);
      },
    };
  }

  get #open(): DatagramPeerLink {
    if (!this.#link) throw withoutSession();
    return this.#link;
  }

  get #session(): DatagramPeerSession {
    const session = this.#link?.session;
    if (!session) throw withoutSession();
    return session;
  }

  #close(info: CloseInfo): void {
    if (this.state === 'idle' || this.state === 'closed') return;
    const link = this.#link;
    this.#link = undefined;
    this.#attempt?.unsubscribe();
    this.#states$.next('closed');
    link?.stop(info.error ?? new ConnectionClosedError('CLOSED', 'the session of the simulated peer is over'));
    this.#ends$.next(info);
  }
}

const withoutSession = (state = 'without a session'): InvalidStateError =>
  new InvalidStateError('WRONG_STATE', `the simulated peer is ${state}`);
