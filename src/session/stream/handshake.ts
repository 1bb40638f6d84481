import type { Subscription } from 'rxjs';
import { AuthError, UsmpError } from '../../protocol/errors.js';
import type { Frame } from '../../protocol/frame.js';
import { FrameDecoder } from '../../protocol/frame-decoder.js';
import type { EstablishedSession } from '../../protocol/secure-channel.js';
import type { Transport, TransportSink } from '../../transport/transport.js';
import type { HandshakeEnvironment, HandshakeOutcome, Role } from '../handshake.js';
import { HandshakeDriver } from '../handshake-driver.js';
import type { StreamHandshakeResult } from './link.js';

/** How long a refused peer may take to close its side. */
const LINGER_MS = 1_000;

/** Runs the handshake of either role on a byte stream. Returns the teardown. */
export function driveOnStream<Input>(
  transport: Transport,
  role: Role<Input>,
  environment: HandshakeEnvironment,
  outcome: HandshakeOutcome<StreamHandshakeResult>,
  first?: Input,
): () => void {
  const handshake = new StreamHandshake(transport, role, environment, outcome);
  transport.attach(handshake);
  if (first) handshake.take(first);
  return () => handshake.abandon();
}

/** Frames and time in, bytes out. */
class StreamHandshake<Input> extends HandshakeDriver<Input, Transport, StreamHandshakeResult> implements TransportSink {
  readonly #decoder = new FrameDecoder();
  readonly #limit: Subscription;

  constructor(
    transport: Transport,
    role: Role<Input>,
    environment: HandshakeEnvironment,
    outcome: HandshakeOutcome<StreamHandshakeResult>,
  ) {
    super(transport, role, environment, outcome);
    this.#limit = environment.scheduler.schedule(() => this.take({ kind: 'timeout' }), environment.timeoutMs);
  }

  abandon(): void {
    if (this.isOver) return;
    this.#stop();
    this.transport.reset();
  }

  /** Part of TransportSink. */
  data(bytes: Uint8Array): void {
    this.#decoder.push(bytes);
    try {
      for (let frame = this.#nextFrame(); frame; frame = this.#nextFrame()) this.take({ kind: 'frame', frame });
    } catch (error) {
      if (!(error instanceof UsmpError)) throw error;
      this.fail(error);
    }
  }

  /** Part of TransportSink. */
  drain(): void {}

  /** What comes after the handshake is for the session. */
  #nextFrame(): Frame | undefined {
    return this.isOver ? undefined : this.#decoder.next();
  }

  protected override send(bytes: Uint8Array): void {
    this.transport.write(bytes);
  }

  protected override establish(established: EstablishedSession): void {
    this.#stop();
    this.outcome.next({ transport: this.transport, decoder: this.#decoder, established });
    this.outcome.complete();
  }

  protected override fail(error: UsmpError): void {
    if (this.isOver) return;
    this.#stop();
    // An orderly end tells a client that its proof was refused, and only that: after anything else it may try again.
    if (error.code === 'HANDSHAKE_INTERRUPTED') this.transport.destroy();
    else if (error instanceof AuthError) this.#endOrderly();
    else this.transport.reset();
    this.outcome.error(error);
  }

  #stop(): void {
    this.isOver = true;
    this.#limit.unsubscribe();
  }

  #endOrderly(): void {
    const transport = this.transport;
    const linger = this.environment.scheduler.schedule(() => transport.destroy(), LINGER_MS);
    transport.attach({ data() {}, drain() {}, end: () => linger.unsubscribe() });
    transport.end();
  }
}
