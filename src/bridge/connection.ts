import { WebSocket } from 'ws';
import type { UsmpServer } from '../server/server.js';
import { TokenBucket } from '../server/token-bucket.js';
import type { BridgeActivity, BridgeCloseReason } from './bridge-activity.js';
import type { BridgeSettings } from './bridge-options.js';
import { carryOut, refusal, type Answer, type Command } from './commands.js';
import type { Arrival } from './entrance.js';
import type { Feed } from './feed.js';
import { decodeCommandFrame } from './payload-frame.js';
import {
  BridgeCloseCode,
  BridgeProtocolError,
  MAX_NAMED_DEVICES,
  parseClientMessage,
  type ClientMessage,
  type Role,
  type ServerMessage,
} from './protocol.js';
import { SendQueue } from './send-queue.js';
import type { SubscribeRequest, Subscription } from './subscription.js';

/** What a connection is part of. */
export interface ConnectionContext {
  readonly settings: BridgeSettings;
  readonly server: UsmpServer;
  readonly feed: Feed;
  /** Whether one more dashboard may be let in. */
  readonly hasRoom: () => boolean;
  readonly onActivity: (activity: BridgeActivity) => void;
  /** The WebSocket is closed, whoever closed it. */
  readonly onClosed: (connection: Connection) => void;
}

export type ConnectionState = 'unauthenticated' | 'open' | 'closing';

type Request = Exclude<ClientMessage, { readonly type: 'auth' }> | Command;

/** How long a dashboard may take to answer a close. */
const CLOSE_TIMEOUT_MS = 5_000;
/** Each costs memory, in all subscriptions of a dashboard. */
const MAX_NAMED_IN_ALL = 4 * MAX_NAMED_DEVICES;
/** What fits into the reason of a close. */
const MAX_REASON_CHARACTERS = 123;

/** One dashboard: who it is, what it asked for, and what it may. */
export class Connection {
  readonly #context: ConnectionContext;
  readonly #webSocket: WebSocket;
  readonly #remoteAddress: string;
  readonly #queue: SendQueue;
  readonly #subscriptions = new Map<number, Subscription>();
  /** The ids of commands that have no answer yet. */
  readonly #pending = new Set<number>();
  readonly #messages: TokenBucket;
  readonly #commands: TokenBucket;
  #role: Role | undefined;
  #state: ConnectionState = 'unauthenticated';
  #stateSinceMs: number;
  #closeReason: BridgeCloseReason | 'client' = 'client';

  constructor({ webSocket, socket, remoteAddress, token }: Arrival, context: ConnectionContext) {
    const { scheduler, maxBufferedBytes, maxCommandsPerSecond, maxSubscriptions } = context.settings;
    this.#context = context;
    this.#webSocket = webSocket;
    this.#remoteAddress = remoteAddress;
    this.#queue = new SendQueue(webSocket, socket, maxBufferedBytes);
    this.#commands = new TokenBucket(maxCommandsPerSecond);
    // Enough to take up all subscriptions again at once, and to be refused some commands.
    this.#messages = new TokenBucket(2 * (maxCommandsPerSecond + maxSubscriptions));
    this.#stateSinceMs = scheduler.now();
    webSocket.on('message', (data, isBinary) => this.#received(data as Buffer, isBinary));
    webSocket.on('ping', () => this.#countMessage());
    webSocket.on('pong', () => this.#countMessage());
    webSocket.on('close', () => this.#closed());
    // Tells nothing that `close` does not.
    webSocket.on('error', () => {});
    if (token) this.#authenticate(token);
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Time has passed: sends what is due, and ends what has lasted too long. */
  tick(nowMs: number): void {
    const { authTimeoutMs } = this.#context.settings;
    // At what is no WebSocket, and where the dashboard closes it, it closes without us.
    if (this.#webSocket.readyState !== WebSocket.OPEN) this.#end();
    const lastedMs = nowMs - this.#stateSinceMs;
    if (this.#state === 'open') this.#sendDue(nowMs);
    else if (this.#state === 'closing' && lastedMs >= CLOSE_TIMEOUT_MS) this.terminate();
    else if (this.#state === 'unauthenticated' && lastedMs >= authTimeoutMs) {
      this.close('AUTH_TIMEOUT', `no token came within ${authTimeoutMs} ms`);
    }
  }

  /** @param text for people, to the dashboard alone */
  close(reason: BridgeCloseReason, text: string): void {
    if (this.#state === 'closing') return;
    this.#end();
    this.#closeReason = reason;
    const printable = text.replace(/[^\x20-\x7e]/g, '?').slice(0, MAX_REASON_CHARACTERS);
    this.#webSocket.close(BridgeCloseCode[reason], printable);
  }

  /** Closes without waiting for an answer. */
  terminate(): void {
    this.#webSocket.terminate();
  }

  #received(data: Buffer, isBinary: boolean): void {
    if (!this.#countMessage()) return;
    try {
      const request = isBinary
        ? ({ type: 'send', ...decodeCommandFrame(data) } as const)
        : parseClientMessage(data.toString());
      this.#handle(request);
    } catch (error) {
      if (!(error instanceof BridgeProtocolError)) throw error;
      this.close('BAD_MESSAGE', error.message);
    }
  }

  /** False where nothing is taken any more. */
  #countMessage(): boolean {
    if (this.#state !== 'closing' && !this.#messages.take(this.#nowMs)) this.close('LIMIT', 'too many messages');
    return this.#state !== 'closing';
  }

  #handle(request: ClientMessage | Command): void {
    if (this.#state === 'unauthenticated') {
      if (request.type === 'auth') return this.#authenticate(request.token);
      return this.close('UNAUTHORIZED', 'expected auth first');
    }
    if (request.type === 'auth')
      throw new BridgeProtocolError('auth: expected once, and not beside a token in the header');
    this.#serve(request);
  }

  #authenticate(token: Uint8Array | string): void {
    const { settings, hasRoom, onActivity } = this.#context;
    const role = settings.tokens.roleOf(token);
    if (role === undefined) return this.close('UNAUTHORIZED', 'wrong token');
    if (!hasRoom()) return this.close('LIMIT', 'too many clients');
    this.#role = role;
    this.#goTo('open');
    onActivity({ type: 'client-opened', remoteAddress: this.#remoteAddress, role });
    this.#answer({ type: 'welcome', role });
  }

  #serve(request: Request): void {
    const { id } = request;
    if (request.type === 'unsubscribe') return this.#unsubscribe(id);
    if (this.#subscriptions.has(id) || this.#pending.has(id)) {
      return this.#answer(refusal(id, 'DUPLICATE_ID', 'the id is in use'));
    }
    if (request.type === 'subscribe') this.#subscribe(request);
    else void this.#command(request);
  }

  #subscribe(request: SubscribeRequest): void {
    const { id } = request;
    const { settings, feed } = this.#context;
    if (this.#subscriptions.size >= settings.maxSubscriptions) {
      return this.#answer(refusal(id, 'LIMIT', `a client has ${settings.maxSubscriptions} subscriptions at most`));
    }
    if (request.everyMs !== undefined && request.kind !== 'messages') {
      return this.#answer(refusal(id, 'UNSUPPORTED', 'everyMs is for messages'));
    }
    if (this.#named + (request.deviceIds?.length ?? 0) > MAX_NAMED_IN_ALL) {
      return this.#answer(
        refusal(id, 'LIMIT', `the subscriptions of a client name ${MAX_NAMED_IN_ALL} devices at most`),
      );
    }
    this.#answer({ type: 'result', id, ok: true });
    if (this.#state === 'closing') return;
    const nowMs = this.#nowMs;
    const subscription = feed.subscribe({ request, queue: this.#queue, nowMs });
    this.#subscriptions.set(id, subscription);
    subscription.tick(nowMs);
  }

  /** How many devices the subscriptions name. */
  get #named(): number {
    let count = 0;
    for (const { deviceIds } of this.#subscriptions.values()) count += deviceIds?.size ?? 0;
    return count;
  }

  #unsubscribe(id: number): void {
    const subscription = this.#subscriptions.get(id);
    if (!subscription) return this.#answer(refusal(id, 'NOT_SUBSCRIBED', 'there is no such subscription'));
    this.#subscriptions.delete(id);
    this.#context.feed.unsubscribe(subscription);
  }

  async #command(command: Command): Promise<void> {
    const { id, deviceId, type } = command;
    this.#pending.add(id);
    const answer = this.#refused(command) ?? (await carryOut(this.#context.server, command));
    this.#pending.delete(id);
    const outcome = answer.type === 'result' ? 'ok' : (answer.code as Outcome);
    this.#context.onActivity({
      type: 'command',
      remoteAddress: this.#remoteAddress,
      command: type,
      deviceId,
      outcome,
    });
    this.#answer(answer);
  }

  #refused({ id }: Command): Answer | undefined {
    if (this.#role !== 'command') return refusal(id, 'FORBIDDEN', 'the token is for reading alone');
    if (this.#commands.take(this.#nowMs)) return undefined;
    const { maxCommandsPerSecond } = this.#context.settings;
    return refusal(id, 'LIMIT', `a client may send ${maxCommandsPerSecond} commands a second`);
  }

  #answer(message: ServerMessage): void {
    if (this.#state === 'open' && !this.#queue.answer(message)) this.close('TOO_SLOW', 'answers are not read');
  }

  /** Who did not get all of its own is last next time, so that none waits for the others only. */
  #sendDue(nowMs: number): void {
    this.#queue.reopen();
    for (const [id, subscription] of [...this.#subscriptions]) {
      if (subscription.tick(nowMs)) continue;
      this.#subscriptions.delete(id);
      this.#subscriptions.set(id, subscription);
    }
    const { drainTimeoutMs } = this.#context.settings;
    for (const { waitingSinceMs = nowMs } of this.#subscriptions.values()) {
      if (nowMs - waitingSinceMs < drainTimeoutMs) continue;
      return this.close('TOO_SLOW', `what is the latest of a device was not read within ${drainTimeoutMs} ms`);
    }
  }

  #closed(): void {
    this.#end();
    const { onActivity, onClosed } = this.#context;
    onActivity({ type: 'client-closed', remoteAddress: this.#remoteAddress, reason: this.#closeReason });
    onClosed(this);
  }

  /** Nothing is sent or taken any more. */
  #end(): void {
    if (this.#state === 'closing') return;
    this.#goTo('closing');
    for (const subscription of this.#subscriptions.values()) this.#context.feed.unsubscribe(subscription);
    this.#subscriptions.clear();
  }

  #goTo(state: ConnectionState): void {
    this.#state = state;
    this.#stateSinceMs = this.#nowMs;
  }

  get #nowMs(): number {
    return this.#context.settings.scheduler.now();
  }
}

type Outcome = Extract<BridgeActivity, { readonly type: 'command' }>['outcome'];
