import {
  BehaviorSubject,
  EMPTY,
  mergeMap,
  Subject,
  tap,
  type Observable,
  type SchedulerLike,
  type Subscription,
} from 'rxjs';
import { nobleCrypto } from '../crypto/noble.js';
import {
  formatDeviceId,
  InvalidStateError,
  PacketType,
  toHex,
  type CryptoProvider,
  type OpenedFrame,
  type UsmpError,
} from '../protocol/index.js';
import { abortable } from '../session/abort.js';
import { defaultScheduler } from '../session/default-scheduler.js';
import type { HandshakeEnvironment } from '../session/handshake.js';
import type { StreamHandshakeResult } from '../session/stream/link.js';
import type { CloseInfo } from '../session/session.js';
import { MemoryTransport } from '../transport/memory.js';
import type { Transport } from '../transport/transport.js';
import { connectionLost } from './connection-lost.js';
import type { FrameRecipe } from './peer-channel.js';
import { PeerSession, type PeerBehaviour } from './peer-session.js';

export interface SimulatedPeerOptions extends PeerBehaviour {
  /** The default is `nobleCrypto`. */
  readonly crypto?: CryptoProvider;
  /** The default is real time. */
  readonly scheduler?: SchedulerLike;
  /** The default is 10 s. */
  readonly handshakeTimeoutMs?: number;
}

/** Shakes hands on a transport that is open. */
export interface HandshakeDriver {
  run(transport: Transport): Observable<StreamHandshakeResult>;
}

/** `connecting`: there is a connection or an attempt, and no session. */
export type PeerState = 'idle' | 'connecting' | 'open' | 'closed';

/**
 * One side of USMP as firmware has it, to test the other side against. It does what it is told within the call, never paces,
 * never queues, can break any rule, and ends its connection when the other side breaks one. Its observables never error and
 * never complete; all but `state$` are hot.
 */
export class SimulatedPeer {
  /** The present state first. */
  readonly state$: Observable<PeerState>;
  /** The messages of the other side. */
  readonly messages$: Observable<Uint8Array>;
  /** Every authentic frame of the other side. */
  readonly frames$: Observable<OpenedFrame>;
  /** What the other side sends while there is neither session nor handshake. */
  readonly bytes$: Observable<Uint8Array>;
  /** How each connection or attempt ended. */
  readonly ends$: Observable<CloseInfo>;

  protected readonly environment: HandshakeEnvironment;
  readonly #behaviour: PeerBehaviour;
  readonly #states$ = new BehaviorSubject<PeerState>('idle');
  readonly #messages$ = new Subject<Uint8Array>();
  readonly #frames$ = new Subject<OpenedFrame>();
  readonly #bytes$ = new Subject<Uint8Array>();
  readonly #ends$ = new Subject<CloseInfo>();
  #attempt: Subscription | undefined;
  #transport: Transport | undefined;
  #session: PeerSession | undefined;

  constructor(options: SimulatedPeerOptions = {}) {
    const { crypto = nobleCrypto, scheduler = defaultScheduler, handshakeTimeoutMs = 10_000 } = options;
    this.#behaviour = options;
    this.environment = { crypto, scheduler, timeoutMs: handshakeTimeoutMs };
    this.state$ = this.#states$.asObservable();
    this.messages$ = this.#messages$.asObservable();
    this.frames$ = this.#frames$.asObservable();
    this.bytes$ = this.#bytes$.asObservable();
    this.ends$ = this.#ends$.asObservable();
  }

  get state(): PeerState {
    return this.#states$.value;
  }

  /** The device of the session. Like everything that needs a session, throws InvalidStateError `WRONG_STATE` without one. */
  get deviceId(): string {
    return formatDeviceId(this.#open.established.deviceId);
  }

  /** 32 hexadecimal digits. */
  get sessionId(): string {
    return toHex(this.#open.established.sessionId);
  }

  /** The sequence number that the next frame takes. */
  get nextSeq(): number {
    return this.#open.channel.nextSeq;
  }

  /** Sends a message of 0 to 1808 bytes, its frames in one write. */
  send(message: Uint8Array | string): void {
    this.#open.send(message);
  }

  ping(): void {
    this.#open.write(this.#open.channel.seal(PacketType.PING));
  }

  /** Sends REKEY, and a PING under the new keys. */
  rekey(): void {
    this.#open.write(this.#open.channel.sealRekey());
  }

  /** Sends BYE and ends the connection in an orderly way. */
  bye(): void {
    this.#open.write(this.#open.channel.seal(PacketType.BYE));
    this.end();
  }

  /** Ends the connection in an orderly way, without BYE. */
  end(): void {
    this.#transport?.end();
    this.#close({ origin: 'local' });
  }

  /** Breaks the connection or the attempt; `cause` shows at the other end of a memory network. */
  cut(cause?: unknown): void {
    if (this.#transport instanceof MemoryTransport) this.#transport.cut(cause);
    else this.#transport?.reset();
    this.#close({ origin: 'local' });
  }

  /** Reads nothing more, so that the other side feels it. */
  stopReading(): void {
    this.#transport?.pause();
  }

  resumeReading(): void {
    this.#transport?.resume();
  }

  /** Sends a sealed frame with anything in it, right or wrong. */
  sendFrame(recipe: FrameRecipe): void {
    this.#open.write(this.forge(recipe));
  }

  /** The bytes that `sendFrame` would send: to send them twice, in pieces, or not at all. */
  forge(recipe: FrameRecipe): Uint8Array {
    return this.#open.channel.forge(recipe);
  }

  /** Writes bytes as they are. Needs a connection, but no session. */
  sendRaw(bytes: Uint8Array): void {
    if (!this.#transport) throw withoutConnection();
    if (this.#session) this.#session.write(bytes);
    else this.#transport.write(bytes);
  }

  /** Takes up what a handshake came to. */
  adopt(handshake: StreamHandshakeResult): void {
    const session = new PeerSession(handshake, {
      ...this.environment,
      behaviour: this.#behaviour,
      onFrame: (frame) => this.#frames$.next(frame),
      onMessage: (message) => this.#messages$.next(message),
      onEnd: (info) => this.#close(info),
    });
    this.#transport = handshake.transport;
    this.#session = session;
    this.#states$.next('open');
    session.start();
  }

  /**
   * Connects and shakes hands; without a handshake it leaves the connection to `sendRaw` and `bytes$`. Resolves when that is
   * done. A rejection needs no handler, since `ends$` tells as well.
   */
  protected attempt(transport$: Observable<Transport>, handshake?: HandshakeDriver): Promise<void> {
    return abortable(undefined, (resolve, reject) => {
      if (this.state === 'connecting' || this.state === 'open') reject(withoutConnection(this.state));
      else this.#begin(transport$, handshake, resolve, reject);
      return () => {};
    });
  }

  #begin(
    transport$: Observable<Transport>,
    handshake: HandshakeDriver | undefined,
    resolve: () => void,
    reject: (error: UsmpError) => void,
  ): void {
    const attempted$ = transport$.pipe(
      tap((transport) => {
        this.#transport = transport;
      }),
      mergeMap((transport) => {
        if (handshake) return handshake.run(transport);
        this.#readRaw(transport);
        resolve();
        return EMPTY;
      }),
    );
    this.#states$.next('connecting');
    this.#attempt = attempted$.subscribe({
      next: (result) => {
        this.adopt(result);
        resolve();
      },
      error: (cause: unknown) => {
        const error = cause as UsmpError;
        reject(error);
        this.#close({ origin: error.origin, error });
      },
    });
    this.#attempt.add(() => reject(withoutConnection('closed')));
  }

  #readRaw(transport: Transport): void {
    const end = (cause: unknown): void => this.#close({ origin: 'remote', error: connectionLost(cause) });
    transport.attach({ data: (bytes) => this.#bytes$.next(bytes), drain() {}, end });
  }

  get #open(): PeerSession {
    if (!this.#session) throw withoutConnection();
    return this.#session;
  }

  #close(info: CloseInfo): void {
    if (this.state === 'idle' || this.state === 'closed') return;
    this.#session?.stop();
    // What is left of the stream is read to its end, so that the transport can close.
    this.#transport?.attach({ data() {}, drain() {}, end() {} });
    this.#transport?.resume();
    this.#transport = undefined;
    this.#session = undefined;
    this.#states$.next('closed');
    this.#attempt?.unsubscribe();
    this.#ends$.next(info);
  }
}

const withoutConnection = (state = 'without a connection or a session'): InvalidStateError =>
  new InvalidStateError('WRONG_STATE', `the simulated peer is ${state}`);
