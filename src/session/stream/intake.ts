import {
  BehaviorSubject,
  filter,
  map,
  scan,
  Subject,
  switchMap,
  throwError,
  timeout,
  type Observable,
  type SchedulerLike,
  type Subscription,
} from 'rxjs';
import { ControlFloodDetector } from '../../protocol/control-flood.js';
import type { UsmpError } from '../../protocol/errors.js';
import type { FrameDecoder } from '../../protocol/frame-decoder.js';
import type { Frame } from '../../protocol/frame.js';
import { BETWEEN_MESSAGES, reassemble, type Assembly } from '../../protocol/reassembly.js';
import type { ReceivedFrame, SecureChannel } from '../../protocol/secure-channel.js';
import type { Transport } from '../../transport/transport.js';
import { Inbox } from '../inbox.js';
import type { LinkObserver } from '../link.js';
import { SessionMessageEvent } from '../session-event.js';
import { silenceError } from '../silence.js';
import type { SessionLimits } from '../session-limits.js';

interface IntakeOptions {
  readonly transport: Transport;
  readonly decoder: FrameDecoder;
  readonly channel: SecureChannel;
  readonly scheduler: SchedulerLike;
  readonly limits: SessionLimits;
  readonly observer: LinkObserver;
  /** The session has to end. */
  readonly onFailure: (error: UsmpError) => void;
}

/**
 * What arrives: frames are cut out of the stream, opened, joined to messages and put into the inbox. While that is full nothing
 * is read, so that the peer feels it.
 */
export class Intake {
  readonly inbox: Inbox;
  readonly #options: IntakeOptions;
  readonly #flood = new ControlFloodDetector();
  readonly #frames$ = new Subject<ReceivedFrame>();
  readonly #reading$ = new BehaviorSubject(true);
  #pipeline: Subscription | undefined;
  #lastHeardMs: number;
  #pausedMs = 0;
  #inLoop = false;
  #takesAll = false;
  #stopped = false;

  constructor(options: IntakeOptions) {
    const { scheduler, limits } = options;
    this.#options = options;
    this.#lastHeardMs = scheduler.now();
    this.inbox = new Inbox({
      ...limits,
      scheduler,
      lastHeardMs: () => this.#lastHeardMs,
      // A socket is not to be paused and resumed with each message.
      roomBelow: 0.5,
      onRoom: () => this.#read(),
    });
  }

  /** When the last authentic frame came, in milliseconds of the scheduler's clock. */
  get lastHeardMs(): number {
    return this.#lastHeardMs;
  }

  /** Begins to read, with what waits in the decoder. */
  start(): void {
    this.#pipeline = this.#messages().subscribe({
      next: (message) => this.#deliver(message),
      error: (error: unknown) => this.#options.onFailure(error as UsmpError),
    });
    this.#read();
  }

  /** The next bytes of the stream. */
  take(bytes: Uint8Array): void {
    this.#options.decoder.push(bytes);
    this.#read();
  }

  /** Takes what has arrived whole, be the inbox full or not: nothing comes after. */
  takeRest(): void {
    this.#takesAll = true;
    this.#takeFrames();
  }

  /** Reads nothing more; what is in the inbox stays. */
  stop(): void {
    this.#stopped = true;
    this.#pipeline?.unsubscribe();
  }

  /** Opened frames → inactivity limit → reassembly → messages. While we do not read, silence is our own doing. */
  #messages(): Observable<Uint8Array> {
    const { scheduler, limits } = this.#options;
    const { idleTimeoutMs } = limits;
    const withLimit$ = this.#frames$.pipe(
      timeout({ each: idleTimeoutMs, scheduler, with: () => throwError(() => silenceError(idleTimeoutMs)) }),
    );
    return this.#reading$.pipe(
      switchMap((reading) => (reading ? withLimit$ : this.#frames$)),
      scan<ReceivedFrame, Assembly, Assembly>(reassemble, BETWEEN_MESSAGES),
      filter((assembly) => assembly.at === 'message-end'),
      map(({ message }) => message),
    );
  }

  #deliver(message: Uint8Array): void {
    const { observer } = this.#options;
    if (observer.isWatched()) observer.onEvent(new SessionMessageEvent('message', message));
    this.inbox.deliver(message);
  }

  /** Takes frames, then stops or goes on reading as the inbox has room. */
  #read(): void {
    if (this.#inLoop || this.#stopped) return;
    if (!this.#takeFrames() || this.inbox.full !== this.#reading$.value) return;
    const { transport, scheduler, observer } = this.#options;
    const reading = !this.#reading$.value;
    if (reading) this.#flood.forgive(scheduler.now() - this.#pausedMs);
    else this.#pausedMs = scheduler.now();
    this.#reading$.next(reading);
    if (reading) transport.resume();
    else transport.pause();
    // Last: who is told may consume, and so come back to here.
    observer.onEvent({ type: reading ? 'resumed' : 'paused' });
  }

  /**
   * Takes the frames that have arrived; returns whether reading goes on. A consumer that is called may make room: no loop in a
   * loop.
   */
  #takeFrames(): boolean {
    if (this.#inLoop) return false;
    this.#inLoop = true;
    try {
      while (!this.#stopped && (this.#takesAll || !this.inbox.full)) {
        const frame = this.#options.decoder.next();
        if (!frame) break;
        this.#takeFrame(frame);
      }
    } catch (error) {
      this.#options.onFailure(error as UsmpError);
    } finally {
      this.#inLoop = false;
    }
    return !this.#stopped;
  }

  #takeFrame(frame: Frame): void {
    const { channel, scheduler, observer } = this.#options;
    const received = channel.open(frame);
    if (!received) return observer.onEvent({ type: 'dropped', reason: 'error-frame' });
    this.#lastHeardMs = scheduler.now();
    const isAnswered = this.#flood.observe(received.type, this.#lastHeardMs);
    observer.onOpened(received);
    this.#frames$.next(received);
    if (!this.#stopped) observer.onAccepted(received, isAnswered);
  }
}
