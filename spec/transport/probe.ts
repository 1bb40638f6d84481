import { concatBytes } from '../../src/protocol/index.js';
import type { DatagramSink } from '../../src/transport/datagram.js';
import type { TransportSink } from '../../src/transport/transport.js';

/** A sink that writes down what it is told, and can be waited on. A datagram is a chunk like any other. */
export class Probe implements TransportSink, DatagramSink {
  readonly chunks: Uint8Array[] = [];
  readonly log: ('data' | 'drain' | 'end')[] = [];
  length = 0;
  drains = 0;
  ends = 0;
  cause: unknown;
  /** Is called with each chunk. */
  onData: (chunk: Uint8Array) => void = () => {};
  #waiting: (() => void)[] = [];

  data(chunk: Uint8Array): void {
    this.chunks.push(chunk);
    this.length += chunk.length;
    this.#tell('data');
    this.onData(chunk);
  }

  datagram(datagram: Uint8Array): void {
    this.data(datagram);
  }

  drain(): void {
    this.drains++;
    this.#tell('drain');
  }

  end(cause?: unknown): void {
    this.ends++;
    this.cause = cause;
    this.#tell('end');
  }

  get bytes(): Uint8Array {
    return concatBytes(...this.chunks);
  }

  /** Resolves as soon as something that was told made `condition` true. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  received(length: number): Promise<void> {
    return this.until(() => this.length >= length);
  }

  ended(): Promise<void> {
    return this.until(() => this.ends > 0);
  }

  #tell(entry: 'data' | 'drain' | 'end'): void {
    this.log.push(entry);
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

/** Attaches a new probe. */
export function probe(transport: { attach(sink: Probe): void }): Probe {
  const sink = new Probe();
  transport.attach(sink);
  return sink;
}
