import { ControlFloodDetector } from '../../protocol/control-flood.js';
import type { TimeoutError, UsmpError } from '../../protocol/errors.js';
import type { FrameDecoder } from '../../protocol/frame-decoder.js';
import { BETWEEN_MESSAGES, reassemble, type Assembly, type OpenedFrame } from '../../protocol/reassembly.js';
import type { ReceivedFrame } from '../../protocol/secure-channel.js';
import { Inbox, type InboxOwner } from '../inbox.js';
import { SessionMessageEvent } from '../session-event.js';
import { SilenceLimit, type SilentPeer } from '../silence.js';
import type { StreamParts } from './link.js';

/**
 * What arrives: frames are cut out of the stream, opened, joined to messages and put into the inbox. While that is full nothing
 * is read, so that the peer feels it.
 */
export class Intake implements InboxOwner, SilentPeer {
  /** A socket is not to be paused and resumed with each message. */
  readonly roomBelow = 0.5;
  readonly inbox: Inbox;
  readonly #parts: StreamParts;
  readonly #decoder: FrameDecoder;
  readonly #flood = new ControlFloodDetector();
  readonly #silence: SilenceLimit;
  #assembly: Assembly = BETWEEN_MESSAGES;
  #lastHeardMs: number;
  /** Since when we do not read. */
  #pausedMs: number | undefined;
  #inLoop = false;
  #takesAll = false;
  #stopped = false;

  constructor(parts: StreamParts, decoder: FrameDecoder) {
    const { scheduler, limits } = parts.settings;
    this.#parts = parts;
    this.#decoder = decoder;
    this.#lastHeardMs = scheduler.now();
    this.inbox = new Inbox(this, limits, scheduler);
    this.#silence = new SilenceLimit(this, scheduler, limits.idleTimeoutMs);
  }

  /** When the last authentic frame came, in milliseconds of the scheduler's clock. */
  get lastHeardMs(): number {
    return this.#lastHeardMs;
  }

  /** Part of InboxOwner. */
  onRoom(): void {
    this.#read();
  }

  /** Part of SilentPeer. */
  onSilence(error: TimeoutError): void {
    this.#parts.fail(error);
  }

  /** Begins to read, with what waits in the decoder. */
  start(): void {
    this.#silence.start();
    this.#read();
  }

  /** The next bytes of the stream. */
  take(bytes: Uint8Array): void {
    this.#decoder.push(bytes);
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
    this.#silence.stop();
  }

  #reassemble(frame: OpenedFrame): void {
    const assembly = reassemble(this.#assembly, frame);
    if (assembly.at !== 'message-end') {
      this.#assembly = assembly;
      return;
    }
    this.#assembly = BETWEEN_MESSAGES;
    this.#deliver(assembly.message);
  }

  #deliver(message: Uint8Array): void {
    const { observer } = this.#parts;
    if (observer.isWatched) observer.onEvent(new SessionMessageEvent('message', message));
    this.inbox.deliver(message);
  }

  /** Takes frames, then stops or goes on reading as the inbox has room. While we do not read, silence is our own doing. */
  #read(): void {
    if (this.#inLoop || this.#stopped) return;
    if (!this.#takeFrames() || this.inbox.full === (this.#pausedMs !== undefined)) return;
    if (this.#pausedMs === undefined) this.#pause();
    else this.#resume(this.#pausedMs);
  }

  // What follows tells the observer last: who is told may consume, and so come back to here.

  #pause(): void {
    const { transport, settings, observer } = this.#parts;
    this.#pausedMs = settings.scheduler.now();
    this.#silence.stop();
    transport.pause();
    observer.onEvent({ type: 'paused' });
  }

  #resume(pausedMs: number): void {
    const { transport, settings, observer } = this.#parts;
    this.#pausedMs = undefined;
    this.#flood.forgive(settings.scheduler.now() - pausedMs);
    this.#silence.start();
    transport.resume();
    observer.onEvent({ type: 'resumed' });
  }

  /**
   * Takes the frames that have arrived; returns whether reading goes on. A consumer that is called may make room: no loop in a
   * loop.
   */
  #takeFrames(): boolean {
    if (this.#inLoop) return false;
    this.#inLoop = true;
    let isFirst = true;
    try {
      while (!this.#stopped && (this.#takesAll || !this.inbox.full)) {
        const received = this.#next();
        if (!received) break;
        if (received === ERROR_FRAME) {
          this.#parts.observer.onEvent({ type: 'dropped', reason: 'error-frame' });
          continue;
        }
        // Once for all, since a clock costs as much as a frame.
        if (isFirst) this.#lastHeardMs = this.#parts.settings.scheduler.now();
        isFirst = false;
        this.#takeFrame(received);
      }
    } catch (error) {
      this.#parts.fail(error as UsmpError);
    } finally {
      this.#inLoop = false;
    }
    return !this.#stopped;
  }

  #next(): OpenedFrame | ReceivedFrame | typeof ERROR_FRAME | undefined {
    const { channel } = this.#parts;
    const ahead = channel.openAhead(this.#decoder);
    if (ahead) return ahead;
    const frame = this.#decoder.next();
    return frame && (channel.open(frame) ?? ERROR_FRAME);
  }

  #takeFrame(frame: OpenedFrame | ReceivedFrame): void {
    const { observer } = this.#parts;
    const isAnswered = this.#flood.observe(frame.type, this.#lastHeardMs);
    if ('rekeyedBy' in frame) observer.onOpened(frame);
    this.#reassemble(frame);
    if (!this.#stopped) observer.onAccepted(frame, isAnswered);
  }
}

const ERROR_FRAME = 'error-frame';
