import type { SecureChannel } from '../../src/protocol/index.js';
import {
  BETWEEN_MESSAGES,
  PacketType,
  reassemble,
  type Assembly,
  type ErrorOrigin,
  type Frame,
} from '../../src/protocol/index.js';
import { channelPair, framesOf, sealControl, sealMessage, sealRekey, type Role } from './pair.js';
import { anyCrypto } from './providers.js';
import { SealLedger } from './seal-ledger.js';

/** One end of a session as a program would run it, without I/O: it answers PING and confirms its rekeyings by PING. */
export class End {
  readonly channel: SecureChannel;
  /** What the other end has yet to read, in order. */
  readonly outbox: Frame[] = [];
  readonly sent: Uint8Array[] = [];
  readonly received: Uint8Array[] = [];
  /** Whose REKEYs took effect here, in order. */
  readonly rekeyings: ErrorOrigin[] = [];
  #assembly: Assembly = BETWEEN_MESSAGES;

  constructor(channel: SecureChannel) {
    this.channel = channel;
  }

  send(message: Uint8Array): void {
    this.sent.push(message);
    this.#write(sealMessage(this.channel, message));
  }

  ping(): void {
    this.#write(sealControl(this.channel, PacketType.PING));
  }

  /** Starts a rekeying, unless one waits for its confirmation. */
  rekey(): void {
    if (this.channel.rekeyPending) return;
    this.#write(sealRekey(this.channel));
    this.ping();
  }

  take(frame: Frame): void {
    const received = this.channel.open(frame);
    if (!received) throw new Error('no end sends ERROR');
    this.rekeyings.push(...received.rekeyedBy);
    this.#assembly = reassemble(this.#assembly, received);
    if (this.#assembly.at === 'message-end') this.received.push(this.#assembly.message);
    if (received.type === PacketType.PING) this.#write(sealControl(this.channel, PacketType.PONG));
  }

  #write(bytes: Uint8Array): void {
    this.outbox.push(...framesOf(bytes));
  }
}

/** Two ends and the two byte streams between them, with every sealing in one ledger. */
export class Wire {
  readonly ledger = new SealLedger();
  readonly client: End;
  readonly server: End;

  constructor() {
    const { client, server } = channelPair(this.ledger.watch(anyCrypto));
    this.client = new End(client);
    this.server = new End(server);
  }

  end(role: Role): End {
    return this[role];
  }

  peerOf(role: Role): End {
    return role === 'client' ? this.server : this.client;
  }

  /** Lets an end read its next frames, at most `count`. */
  deliverTo(role: Role, count: number): void {
    for (const frame of this.peerOf(role).outbox.splice(0, count)) this.end(role).take(frame);
  }

  /** Until nothing is under way. */
  settle(): void {
    while (this.client.outbox.length + this.server.outbox.length > 0) {
      this.deliverTo('client', 1);
      this.deliverTo('server', 1);
    }
  }
}
