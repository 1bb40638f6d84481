import { ControlFloodDetector } from '../../protocol/control-flood.js';
import type { DatagramChannel, Opened, ReceivedDatagram } from '../../protocol/datagram/datagram-channel.js';
import {
  BETWEEN_DATAGRAM_MESSAGES,
  reassembleDatagrams,
  type DatagramAssembly,
} from '../../protocol/datagram/datagram-reassembly.js';
import type { TimeoutError, UsmpError } from '../../protocol/errors.js';
import type { Frame } from '../../protocol/frame.js';
import { isDataType, PacketType, type SealedType } from '../../protocol/packet-type.js';
import type { DatagramTransport } from '../../transport/datagram.js';
import { Inbox, type InboxOwner } from '../inbox.js';
import type { LinkObserver, SessionSettings } from '../link.js';
import { SilenceLimit, type SilentPeer } from '../silence.js';
import { SessionMessageEvent, type DropReason } from '../session-event.js';

interface IntakeOptions {
  readonly settings: SessionSettings;
  readonly observer: LinkObserver;
  readonly transport: DatagramTransport;
  readonly channel: DatagramChannel;
  /** An authentic frame came. */
  readonly onHeard: () => void;
  /** The peer's BYE was taken, and acknowledged with this. */
  readonly onBye: (bye: Uint8Array, acknowledgement: Uint8Array) => void;
  /** The session has to end. */
  readonly onFailure: (error: UsmpError) => void;
}

type Taken = Extract<Opened, { readonly outcome: 'taken' }>;

/**
 * What arrives: frames are opened, acknowledged, joined to messages and put into the inbox. While that is full data is not
 * acknowledged, so that the peer repeats it and waits. What is not authentic is counted and dropped.
 */
export class DatagramIntake implements InboxOwner, SilentPeer {
  readonly roomBelow = 1;
  readonly inbox: Inbox;
  readonly #options: IntakeOptions;
  readonly #flood = new ControlFloodDetector();
  readonly #silence: SilenceLimit;
  #assembly: DatagramAssembly = BETWEEN_DATAGRAM_MESSAGES;
  #lastHeardMs: number;
  #takesData = true;
  /** What the inbox had no room for, kept since its sender waits longest after it has repeated it for the last time. */
  #refused: Frame | undefined;
  #stopped = false;

  constructor(options: IntakeOptions) {
    const { scheduler, limits } = options.settings;
    this.#options = options;
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
    this.#takeRefused();
  }

  /** Part of SilentPeer. */
  onSilence(error: TimeoutError): void {
    this.#options.onFailure(error);
  }

  start(): void {
    this.#silence.start();
  }

  take(frame: Frame): void {
    const { transport } = this.#options;
    if (this.#stopped) return;
    const opened = this.#open(frame);
    if (opened.outcome === 'dropped') return this.drop(opened.reason);
    if (opened.outcome === 'refused') return this.#refuse(frame);
    // No sign of life: anybody can repeat what was here before.
    if (opened.outcome === 'repeated') return transport.send(opened.acknowledgement);
    this.#accept(frame, opened);
  }

  drop(reason: DropReason): void {
    this.#options.observer.onEvent({ type: 'dropped', reason });
  }

  /** Takes no data any more, only what keeps the session in order: our BYE has left. */
  refuseData(): void {
    this.#takesData = false;
  }

  /** Takes nothing more; what is in the inbox stays. */
  stop(): void {
    this.#stopped = true;
    this.#silence.stop();
  }

  #admits(type: SealedType): boolean {
    return !isDataType(type) || (this.#takesData && !this.inbox.full);
  }

  #open(frame: Frame): Opened {
    return this.#options.channel.open(frame, (type) => this.#admits(type));
  }

  #refuse(frame: Frame): void {
    if (!this.#takesData) return;
    this.#refused = frame;
    this.drop('inbox-full');
  }

  #takeRefused(): void {
    const refused = this.#refused;
    this.#refused = undefined;
    if (!refused || this.#stopped) return;
    const opened = this.#open(refused);
    if (opened.outcome === 'taken') this.#accept(refused, opened);
  }

  #accept({ bytes }: Frame, { frame, acknowledgement }: Taken): void {
    const { transport, settings, observer, onHeard, onBye, onFailure } = this.#options;
    this.#lastHeardMs = settings.scheduler.now();
    transport.send(acknowledgement);
    onHeard();
    let isAnswered: boolean;
    try {
      isAnswered = this.#flood.observe(frame.type, this.#lastHeardMs);
    } catch (error) {
      return onFailure(error as UsmpError);
    }
    observer.onOpened(frame);
    this.#reassemble(frame);
    if (this.#stopped) return;
    if (frame.type === PacketType.BYE) onBye(bytes, acknowledgement);
    observer.onAccepted(frame, isAnswered);
  }

  #reassemble(frame: ReceivedDatagram): void {
    const assembly = reassembleDatagrams(this.#assembly, frame);
    this.#assembly = assembly.at === 'message-end' ? BETWEEN_DATAGRAM_MESSAGES : assembly;
    if (assembly.dropped) this.drop(assembly.dropped);
    if (assembly.at === 'message-end') this.#deliver(assembly.message);
  }

  #deliver(message: Uint8Array): void {
    const { observer } = this.#options;
    if (observer.isWatched) observer.onEvent(new SessionMessageEvent('message', message));
    this.inbox.deliver(message);
  }
}
