import type { Observable } from 'rxjs';

/** The kinds of byte streams. */
export type StreamKind = 'tcp' | 'websocket' | 'memory';
/** The way that a session takes to its peer: a byte stream, or datagrams (`udp`). */
export type TransportKind = StreamKind | 'udp';

/** What a transport tells its user. None of the functions may throw. */
export interface TransportSink {
  /** Bytes of the stream, in order and never empty. The array is the sink's to keep and must not be modified. */
  data(bytes: Uint8Array): void;
  /** After `write` returned false: what was written is accepted, write on. Not after our own `end`. */
  drain(): void;
  /** The end, once and last: the peer ended the stream, or it broke, and `cause` says how. */
  end(cause?: unknown): void;
}

/** A byte stream to one peer: bytes in, bytes out, no idea of frames. */
export interface Transport {
  readonly kind: StreamKind;
  /** `address:port`, or what the transport has instead. */
  readonly remoteAddress: string;
  /** Delivers to `sink` from now on, instead of to the one before; nothing is delivered before the first. */
  attach(sink: TransportSink): void;
  /**
   * Sends bytes, which must not be modified after, unless `isFlushed` allows it. Returns false above the high-water mark: they are
   * taken, but wait for `drain` before writing more. Without effect after `end`, `destroy` or the peer's end.
   */
  write(bytes: Uint8Array): boolean;
  /** Whether no array that was handed to `write` is needed any more, so that it may be modified. Absent where one always is. */
  readonly isFlushed?: boolean;
  /** Stops reading, so that the peer feels it. */
  pause(): void;
  resume(): void;
  /** Ends our direction in an orderly way, after everything that was written. The peer's bytes still come, then its end. */
  end(): void;
  /** Closes at once; nothing more is delivered, `end` of the sink included. */
  destroy(): void;
  /** The same, and the peer sees a broken connection and never an orderly end. */
  reset(): void;
}

/** How a client reaches its server. */
export interface Dialer {
  readonly kind: StreamKind;
  /**
   * Each subscription dials once: emits the open transport and completes, or errors with a UsmpError. Unsubscribing before
   * cancels the attempt; the emitted transport belongs to the subscriber.
   */
  dial(): Observable<Transport>;
}

/** Where a server is reached. */
export interface Listener {
  readonly kind: StreamKind;
  /** Starts to accept; resolves with the bound address, `address:port`, rejects with a ConfigError where that can't be had. */
  listen(accept: (transport: Transport) => void): Promise<string>;
  /** Accepts nothing more; connections that were accepted live on. */
  close(): Promise<void>;
}
