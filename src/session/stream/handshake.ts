import type { Subscription } from 'rxjs';
import { AuthError, UsmpError } from '../../protocol/errors.js';
import type { Frame } from '../../protocol/frame.js';
import { FrameDecoder } from '../../protocol/frame-decoder.js';
import type { CommonInput, Output } from '../../protocol/handshake/machine.js';
import type { Transport, TransportSink } from '../../transport/transport.js';
import type { HandshakeEnvironment, HandshakeOutcome, Role } from '../handshake.js';
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
class StreamHandshake<Input> implements TransportSink {
  readonly #transport: Transport;
  readonly #role: Role<Input>;
  readonly #environment: HandshakeEnvironment;
  readonly #outcome: HandshakeOutcome<StreamHandshakeResult>;
  readonly #decoder = new FrameDecoder();
  readonly #limit: Subscription;
  #isOver = false;

  constructor(
    transport: Transport,
    role: Role<Input>,
    environment: HandshakeEnvironment,
    outcome: HandshakeOutcome<StreamHandshakeResult>,
  ) {
    this.#transport = transport;
    this.#role = role;
    this.#environment = environment;
    this.#outcome = outcome;
    this.#limit = environment.scheduler.schedule(() => this.take({ kind: 'timeout' }), environment.timeoutMs);
  }

  take(input: Input | CommonInput): void {
    if (this.#isOver) return;
    for (const output of this.#role.step(input)) this.#carryOut(output);
  }

  abandon(): void {
    if (this.#isOver) return;
    this.#stop();
    this.#transport.reset();
  }

  /** Part of TransportSink. */
  data(bytes: Uint8Array): void {
    this.#decoder.push(bytes);
    try {
      for (let frame = this.#nextFrame(); frame; frame = this.#nextFrame()) this.take({ kind: 'frame', frame });
    } catch (error) {
      if (!(error instanceof UsmpError)) throw error;
      this.#fail(error);
    }
  }

  /** Part of TransportSink. */
  drain(): void {}

  /** Part of TransportSink. */
  end(cause: unknown): void {
    this.take({ kind: 'end', cause });
  }

  /** What comes after the handshake is for the session. */
  #nextFrame(): Frame | undefined {
    return this.#isOver ? undefined : this.#decoder.next();
  }

  #carryOut(output: Output): void {
    switch (output.kind) {
      case 'send':
        this.#transport.write(output.bytes);
        break;
      case 'pskNeeded':
        this.#role.onPskNeeded(
          output.deviceId,
          (answer) => this.take(answer),
          (error) => this.#fail(error),
        );
        break;
      case 'peerError':
        this.#environment.onPeerError?.(output.code, output.detail);
        break;
      case 'failed':
        this.#fail(output.error);
        break;
      case 'established':
        this.#stop();
        this.#outcome.next({ transport: this.#transport, decoder: this.#decoder, established: output.session });
        this.#outcome.complete();
    }
  }

  #fail(error: UsmpError): void {
    if (this.#isOver) return;
    this.#stop();
    // An orderly end tells a client that its proof was refused, and only that: after anything else it may try again.
    if (error.code === 'HANDSHAKE_INTERRUPTED') this.#transport.destroy();
    else if (error instanceof AuthError) this.#endOrderly();
    else this.#transport.reset();
    this.#outcome.error(error);
  }

  #stop(): void {
    this.#isOver = true;
    this.#limit.unsubscribe();
  }

  #endOrderly(): void {
    const transport = this.#transport;
    const linger = this.#environment.scheduler.schedule(() => transport.destroy(), LINGER_MS);
    transport.attach({ data() {}, drain() {}, end: () => linger.unsubscribe() });
    transport.end();
  }
}
