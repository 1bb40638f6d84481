import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { ServerMessage } from './protocol.js';

/** What WebSocket adds to a frame of any length that occurs. */
const FRAME_HEADER_BYTES = 10;
/** The part of the room that data leaves to answers. */
const RESERVE = 1 / 16;
/** The part of the room that one message of several devices takes at most. */
const CHUNK = 1 / 2;

/**
 * The one way out to a dashboard, with a bound on what it has not read. Data that finds no room is not kept here: who offers it
 * keeps what is worth it, and until `reopen` nobody else's data gets in before.
 */
export class SendQueue {
  readonly #webSocket: Pick<WebSocket, 'bufferedAmount' | 'send'>;
  readonly #socket: Pick<Duplex, 'cork' | 'uncork'>;
  readonly #maxBufferedBytes: number;
  #isCorked = false;
  #isShut = false;

  constructor(
    webSocket: Pick<WebSocket, 'bufferedAmount' | 'send'>,
    socket: Pick<Duplex, 'cork' | 'uncork'>,
    maxBufferedBytes: number,
  ) {
    this.#webSocket = webSocket;
    this.#socket = socket;
    this.#maxBufferedBytes = maxBufferedBytes;
  }

  /** How many bytes a message that is made now should have at most, which may be none. */
  get roomBytes(): number {
    const maxBytes = this.#maxDataBytes;
    if (this.#isShut) return 0;
    return Math.max(0, Math.min(maxBytes * CHUNK, maxBytes - this.#webSocket.bufferedAmount - FRAME_HEADER_BYTES));
  }

  /** Sends data, or returns false where there is no room for it. Bytes are a binary frame and must not be modified after. */
  offer(data: Uint8Array | string): boolean {
    this.#isShut ||= !this.#send(data, this.#maxDataBytes);
    return !this.#isShut;
  }

  /** Sends an answer; false where there is no room even for that. */
  answer(message: ServerMessage): boolean {
    return this.#send(JSON.stringify(message), this.#maxBufferedBytes);
  }

  /** From now on data is taken again. */
  reopen(): void {
    this.#isShut = false;
  }

  get #maxDataBytes(): number {
    return this.#maxBufferedBytes * (1 - RESERVE);
  }

  #send(data: Uint8Array | string, maxBytes: number): boolean {
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    if (this.#webSocket.bufferedAmount + bytes.length + FRAME_HEADER_BYTES > maxBytes) return false;
    this.#cork();
    this.#webSocket.send(bytes, { binary: typeof data !== 'string' });
    return true;
  }

  /** What one turn of the event loop sends leaves in one write: a system call costs more than a small frame. */
  #cork(): void {
    if (this.#isCorked) return;
    this.#isCorked = true;
    this.#socket.cork();
    setImmediate(() => {
      this.#isCorked = false;
      this.#socket.uncork();
    });
  }
}
