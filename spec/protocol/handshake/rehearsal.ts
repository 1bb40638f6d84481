import {
  clientHandshake,
  decodeFrame,
  Secret,
  serverHandshake,
  stepClientHandshake,
  stepServerHandshake,
  type ClientHandshakeState,
  type CryptoProvider,
  type EstablishedSession,
  type HandshakeOutput,
  type HandshakeStep,
  type ServerHandshakeState,
} from '../../../src/protocol/index.js';
import { DEVICE_ID, pattern } from '../pair.js';
import { anyCrypto } from '../providers.js';

export const PSK = pattern(32, 7);

export type HandshakeFrameName = 'HELLO' | 'CHALLENGE' | 'HELLO_ACK' | 'SESSION_OK';
export type ClientStates = { readonly [Name in ClientHandshakeState['name']]: ClientHandshakeState };
export type ServerStates = { readonly [Name in ServerHandshakeState['name']]: ServerHandshakeState };

/** A handshake that went well, with every state that it passed (and a failed one): steps can be taken from each again. */
export interface Rehearsal {
  readonly client: ClientStates;
  readonly server: ServerStates;
  readonly frames: Readonly<Record<HandshakeFrameName, Uint8Array>>;
  readonly sessions: { readonly client: EstablishedSession; readonly server: EstablishedSession };
}

export const frameInput = (bytes: Uint8Array) => ({ kind: 'frame', frame: decodeFrame(bytes) }) as const;

export const psksInput = (...psks: readonly Uint8Array[]) =>
  ({ kind: 'psks', psks: psks.map((psk) => new Secret(psk)) }) as const;

/** The bytes of the only frame that a step wants sent. */
export function sentBy({ outputs }: HandshakeStep<unknown>): Uint8Array {
  const [sent, ...more] = outputs.filter((output) => output.kind === 'send');
  if (!sent || more.length > 0) throw new Error('not exactly one frame was sent');
  return sent.bytes;
}

export function establishedBy({ outputs }: HandshakeStep<unknown>): EstablishedSession {
  const established = outputs.find((output) => output.kind === 'established');
  if (!established) throw new Error(`the handshake stands at ${summaryOf(outputs)}`);
  return established.session;
}

/** What a handshake wants done, in a form to compare: `send 76`, `failed AuthError AUTH_HMAC remote`. */
export const summaryOf = (outputs: readonly HandshakeOutput[]): string => outputs.map(summary).join(', ');

function summary(output: HandshakeOutput): string {
  switch (output.kind) {
    case 'send':
      return `send ${output.bytes.length}`;
    case 'failed':
      return `failed ${output.error.name} ${output.error.code} ${output.error.origin}`;
    case 'peerError':
      return `peerError ${output.code} ${output.detail}`;
    case 'pskNeeded':
    case 'established':
      return output.kind;
  }
}

export interface RehearsalOptions {
  readonly clientCrypto?: CryptoProvider;
  readonly serverCrypto?: CryptoProvider;
  readonly clientPsk?: Uint8Array;
  readonly serverPsks?: readonly Uint8Array[];
}

/** Runs both machines against each other. */
export function rehearse({
  clientCrypto = anyCrypto,
  serverCrypto = anyCrypto,
  clientPsk = PSK,
  serverPsks = [PSK],
}: RehearsalOptions = {}): Rehearsal {
  const start = clientHandshake(DEVICE_ID, new Secret(clientPsk));
  const hello = stepClientHandshake(start, { kind: 'start' }, clientCrypto);
  const expectHello = serverHandshake();
  const pskNeeded = stepServerHandshake(expectHello, frameInput(sentBy(hello)), serverCrypto);
  const challenge = stepServerHandshake(pskNeeded.state, psksInput(...serverPsks), serverCrypto);
  const helloAck = stepClientHandshake(hello.state, frameInput(sentBy(challenge)), clientCrypto);
  const sessionOk = stepServerHandshake(challenge.state, frameInput(sentBy(helloAck)), serverCrypto);
  const done = stepClientHandshake(helloAck.state, frameInput(sentBy(sessionOk)), clientCrypto);
  return {
    client: {
      Start: start,
      // It differs in what may come next, and in nothing that it holds.
      ExpectRetryOrChallenge: { ...hello.state, name: 'ExpectRetryOrChallenge' } as ClientHandshakeState,
      ExpectChallenge: hello.state,
      ExpectSessionOk: helloAck.state,
      Established: done.state,
      Failed: stepClientHandshake(start, { kind: 'timeout' }, clientCrypto).state,
    },
    server: {
      ExpectHello: expectHello,
      AwaitPsk: pskNeeded.state,
      ExpectHelloAck: challenge.state,
      Established: sessionOk.state,
      Failed: stepServerHandshake(expectHello, { kind: 'timeout' }, serverCrypto).state,
    },
    frames: {
      HELLO: sentBy(hello),
      CHALLENGE: sentBy(challenge),
      HELLO_ACK: sentBy(helloAck),
      SESSION_OK: sentBy(sessionOk),
    },
    sessions: { client: establishedBy(done), server: establishedBy(sessionOk) },
  };
}
