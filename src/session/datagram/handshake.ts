import { Subscription } from 'rxjs';
import {
  decodeAcknowledgement,
  encodeAcknowledgement,
  isAcknowledgement,
} from '../../protocol/datagram/acknowledgement.js';
import { AuthError, TimeoutError, UsmpError } from '../../protocol/errors.js';
import type { Frame } from '../../protocol/frame.js';
import { PacketType, packetTypeName } from '../../protocol/packet-type.js';
import type { EstablishedSession } from '../../protocol/secure-channel.js';
import type { DatagramSink, DatagramTransport } from '../../transport/datagram.js';
import type { HandshakeEnvironment, HandshakeOutcome, Role } from '../handshake.js';
import { HandshakeDriver } from '../handshake-driver.js';
import { AnsweredDatagrams } from './answered-datagrams.js';
import { decodeDatagram } from './decode-datagram.js';
import { Delivery } from './delivery.js';

/** What a handshake on datagrams came to. */
export interface DatagramHandshakeResult {
  readonly transport: DatagramTransport;
  /** A server's SESSION_OK may be outstanding in it. */
  readonly delivery: Delivery;
  /** The handshake frames of the peer. */
  readonly answered: AnsweredDatagrams;
  readonly established: EstablishedSession;
}

/** A wrong proof may be forged, so the right one may still come; but not for long, and not after many guesses. */
const WRONG_PROOF_GRACE_MS = 3_000;
const MAX_WRONG_PROOFS = 64;

/** Runs the handshake of either role on datagrams. Returns the teardown. */
export function driveOnDatagrams<Input>(
  transport: DatagramTransport,
  role: Role<Input>,
  environment: HandshakeEnvironment,
  outcome: HandshakeOutcome<DatagramHandshakeResult>,
  first?: Input,
): () => void {
  const handshake = new DatagramHandshake(transport, role, environment, outcome);
  transport.attach(handshake);
  if (first) handshake.take(first);
  return () => handshake.abandon();
}

/**
 * Frames and time in, datagrams out, each repeated until it is acknowledged or answered. Anybody can forge a datagram, so one
 * that does not fit, or proves nothing, is passed over; where nothing better comes, its error tells why the handshake failed.
 */
class DatagramHandshake<Input>
  extends HandshakeDriver<Input, DatagramTransport, DatagramHandshakeResult>
  implements DatagramSink
{
  readonly #delivery: Delivery;
  readonly #answered = new AnsweredDatagrams();
  readonly #limits = new Subscription();
  #suspicion: UsmpError | undefined;
  #wrongProofs = 0;

  constructor(
    transport: DatagramTransport,
    role: Role<Input>,
    environment: HandshakeEnvironment,
    outcome: HandshakeOutcome<DatagramHandshakeResult>,
  ) {
    super(transport, role, environment, outcome);
    this.#delivery = new Delivery(transport, environment.scheduler);
    this.#delivery.onLost = (datagram) => this.fail(this.#suspicion ?? unanswered(datagram));
    this.#limits.add(environment.scheduler.schedule(() => this.#timeOut(), environment.timeoutMs));
  }

  abandon(): void {
    if (this.isOver) return;
    this.#stop();
    this.#delivery.stop();
    this.transport.destroy();
  }

  /** Part of DatagramSink. */
  datagram(datagram: Uint8Array): void {
    if (this.isOver) return;
    const repeated = this.#answered.answerTo(datagram);
    if (repeated) return this.transport.send(repeated);
    if (isAcknowledgement(datagram)) return this.#takeAcknowledgement(datagram);
    const frame = decodeDatagram(datagram);
    if (!frame) return this.environment.onDropped?.('malformed');
    const outputs = this.role.offer(frame);
    if (outputs instanceof UsmpError) return this.#passOver(frame, outputs);
    if (frame.type !== PacketType.HELLO_RETRY && frame.type !== PacketType.ERROR) this.#acknowledge(frame);
    this.carryOut(outputs);
  }

  /** An answer acknowledges what it answers. */
  protected override send(datagram: Uint8Array): void {
    this.#delivery.acknowledged();
    this.#delivery.send(datagram, isPlainHello(datagram) ? Number.POSITIVE_INFINITY : undefined);
  }

  protected override establish(established: EstablishedSession): void {
    this.transport.claim();
    // Who was told that the session before has ended may have closed the server, and this handshake with it.
    if (this.isOver) return;
    this.#stop();
    if (established.role === 'client') this.#delivery.acknowledged();
    this.outcome.next({
      transport: this.transport,
      delivery: this.#delivery,
      answered: this.#answered,
      established,
    });
    this.outcome.complete();
  }

  #acknowledge({ type, seq, bytes }: Frame): void {
    const acknowledgement = encodeAcknowledgement(type, seq);
    this.#answered.add(bytes, acknowledgement);
    this.transport.send(acknowledgement);
  }

  #takeAcknowledgement(datagram: Uint8Array): void {
    const acknowledgement = decodeAcknowledgement(datagram);
    const { outstanding } = this.#delivery;
    const sent = outstanding && decodeDatagram(outstanding);
    if (!outstanding || acknowledgement?.type !== sent?.type || acknowledgement?.seq !== sent?.seq) {
      return this.environment.onDropped?.('stray-acknowledgement');
    }
    // What follows the first HELLO may be lost and is not repeated by itself, so only that ends the repeating.
    if (!isPlainHello(outstanding)) this.#delivery.acknowledged();
  }

  #passOver(frame: Frame, error: UsmpError): void {
    this.environment.onDropped?.('unexpected-frame');
    if (error.code === 'HANDSHAKE_UNEXPECTED_FRAME' || error.code === 'HANDSHAKE_PAYLOAD_LENGTH') return;
    this.#suspicion = error;
    if (!(error instanceof AuthError)) return;
    this.#acknowledge(frame);
    this.#wrongProofs++;
    if (this.#wrongProofs === MAX_WRONG_PROOFS) return this.fail(error);
    if (this.#wrongProofs > 1) return;
    this.#limits.add(this.environment.scheduler.schedule(() => this.fail(error), WRONG_PROOF_GRACE_MS));
  }

  #timeOut(): void {
    if (this.#suspicion) this.fail(this.#suspicion);
    else this.take({ kind: 'timeout' });
  }

  protected override fail(error: UsmpError): void {
    if (this.isOver) return;
    this.abandon();
    this.outcome.error(error);
  }

  #stop(): void {
    this.isOver = true;
    this.#limits.unsubscribe();
  }
}

/** The HELLO that a client repeats until it is answered, however often. */
const isPlainHello = (datagram: Uint8Array): boolean => {
  const frame = decodeDatagram(datagram);
  return frame?.type === PacketType.HELLO && frame.seq === 0;
};

function unanswered(datagram: Uint8Array): TimeoutError {
  const type = packetTypeName(datagram[3] as number);
  return new TimeoutError('TIMEOUT_HANDSHAKE', `the peer acknowledged none of the attempts to send ${type}`);
}
