import type { UsmpError } from '../protocol/errors.js';
import type { CommonInput, Output } from '../protocol/handshake/machine.js';
import type { EstablishedSession } from '../protocol/secure-channel.js';
import type { AnyTransport } from '../transport/any.js';
import type { HandshakeEnvironment, HandshakeOutcome, Role } from './handshake.js';

/** What runs a handshake has in common on all transports: gives its machine what comes, and carries out what it answers. */
export abstract class HandshakeDriver<Input, Transport extends AnyTransport, Result> {
  protected readonly transport: Transport;
  protected readonly role: Role<Input>;
  protected readonly environment: HandshakeEnvironment;
  protected readonly outcome: HandshakeOutcome<Result>;
  protected isOver = false;

  constructor(
    transport: Transport,
    role: Role<Input>,
    environment: HandshakeEnvironment,
    outcome: HandshakeOutcome<Result>,
  ) {
    this.transport = transport;
    this.role = role;
    this.environment = environment;
    this.outcome = outcome;
  }

  take(input: Input | CommonInput): void {
    if (!this.isOver) this.carryOut(this.role.step(input));
  }

  /** Part of the sinks of all transports. */
  end(cause: unknown): void {
    this.take({ kind: 'end', cause });
  }

  protected carryOut(outputs: readonly Output[]): void {
    for (const output of outputs) {
      switch (output.kind) {
        case 'send':
          this.send(output.bytes);
          break;
        case 'pskNeeded':
          this.role.onPskNeeded(
            output.deviceId,
            (answer) => this.take(answer),
            (error) => this.fail(error),
          );
          break;
        case 'peerError':
          this.environment.onPeerError?.(output.code, output.detail);
          break;
        case 'failed':
          this.fail(output.error);
          break;
        case 'established':
          this.establish(output.session);
      }
    }
  }

  protected abstract send(bytes: Uint8Array): void;
  /** Tells the outcome, unless it is over. */
  protected abstract fail(error: UsmpError): void;
  protected abstract establish(session: EstablishedSession): void;
}
