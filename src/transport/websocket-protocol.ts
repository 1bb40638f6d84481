/** The WebSocket subprotocol that USMP is: binary messages that together are one byte stream, however it is cut. */
export const USMP_SUBPROTOCOL = 'usmp.v2';

/** What is written is cut into messages of at most this length. */
const MAX_SENT_BYTES = 64 * 1024;

/** The messages that carry these bytes; none where there are none. */
export function* messagesOf(bytes: Uint8Array): Generator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.length; at += MAX_SENT_BYTES) yield bytes.subarray(at, at + MAX_SENT_BYTES);
}

/** The close code of an orderly end of the stream. Any other is a connection that broke. */
export const ORDERLY = 1000;
/** The close code of a side that breaks the connection; its reason says why. */
export const BROKEN = 4000;

const KNOWN_CODES: Readonly<Record<number, string>> = {
  1001: 'going away',
  1002: 'protocol error',
  1005: 'no code given',
  1006: 'the connection was lost',
  1009: 'a message was too large',
};

/**
 * What the end of a WebSocket is as the end of a byte stream.
 * @returns undefined where it is orderly, otherwise the cause
 */
export function closeCause(code: number, reason: string): Error | undefined {
  if (code === ORDERLY) return undefined;
  // The peer chose the reason: quoted, it can't look like something else.
  const why = reason === '' ? KNOWN_CODES[code] : JSON.stringify(reason);
  return new Error(`the WebSocket was closed with code ${code}${why === undefined ? '' : ` (${why})`}`);
}

export const textMessageError = (): Error => new Error('the peer sent a text message, and USMP travels in binary ones');
