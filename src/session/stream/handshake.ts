import { AuthError, UsmpError } from '../../protocol/errors.js';
import { FrameDecoder } from '../../protocol/frame-decoder.js';
import type { CommonInput, Output } from '../../protocol/handshake/machine.js';
import type { Transport } from '../../transport/transport.js';
import type { HandshakeEnvironment, HandshakeOutcome, Role } from '../handshake.js';
import type { StreamHandshakeResult } from './link.js';

/** The driver of either role on a byte stream: frames and time in, bytes out. Returns the teardown. */
export function driveOnStream<Input>(
  transport: Transport,
  role: Role<Input>,
  { scheduler, timeoutMs, onPeerError }: HandshakeEnvironment,
  outcome: HandshakeOutcome<StreamHandshakeResult>,
  first?: Input,
): () => void {
  const decoder = new FrameDecoder();
  let over = false;
  const limit = scheduler.schedule(() => take({ kind: 'timeout' }), timeoutMs);

  const take = (input: Input | CommonInput): void => {
    if (!over) for (const output of role.step(input)) carryOut(output);
  };
  const fail = (error: UsmpError): void => {
    if (over) return;
    over = true;
    limit.unsubscribe();
    // An orderly end tells a client that its proof was refused, and only that: after anything else it may try again.
    if (error.code === 'HANDSHAKE_INTERRUPTED') transport.destroy();
    else if (error instanceof AuthError) endOrderly();
    else transport.reset();
    outcome.error(error);
  };
  const endOrderly = (): void => {
    const linger = scheduler.schedule(() => transport.destroy(), LINGER_MS);
    transport.attach({ data() {}, drain() {}, end: () => linger.unsubscribe() });
    transport.end();
  };
  const carryOut = (output: Output): void => {
    switch (output.kind) {
      case 'send':
        transport.write(output.bytes);
        break;
      case 'pskNeeded':
        role.onPskNeeded(output.deviceId, take, fail);
        break;
      case 'peerError':
        onPeerError?.(output.code, output.detail);
        break;
      case 'failed':
        fail(output.error);
        break;
      case 'established':
        over = true;
        limit.unsubscribe();
        outcome.next({ transport, decoder, established: output.session });
        outcome.complete();
    }
  };

  transport.attach({
    data(bytes) {
      decoder.push(bytes);
      try {
        for (let frame = over ? undefined : decoder.next(); frame; frame = over ? undefined : decoder.next()) {
          take({ kind: 'frame', frame });
        }
      } catch (error) {
        if (!(error instanceof UsmpError)) throw error;
        fail(error);
      }
    },
    drain() {},
    end: (cause) => take({ kind: 'end', cause }),
  });
  if (first) take(first);

  return () => {
    if (over) return;
    over = true;
    limit.unsubscribe();
    transport.reset();
  };
}

/** How long a refused peer may take to close its side. */
const LINGER_MS = 1_000;
