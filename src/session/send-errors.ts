import { ConnectionClosedError, InvalidStateError, type UsmpError } from '../protocol/errors.js';

/** A message more than the outbox holds. */
export const outboxFull = (maxOutboxBytes: number): InvalidStateError =>
  new InvalidStateError(
    'OUTBOX_FULL',
    `more than ${maxOutboxBytes} bytes wait for the peer; await send() before sending more`,
  );

/** A message that waited when the session ended, and of which nothing was sent. */
export const notSent = (cause: UsmpError): ConnectionClosedError =>
  new ConnectionClosedError('CLOSED_BEFORE_SEND', 'the session ended before the message was sent', {
    cause,
    origin: cause.origin,
  });
