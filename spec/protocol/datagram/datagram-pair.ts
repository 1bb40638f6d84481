import { decodeFrame, type CipherSuite, type CryptoProvider, type SealedType } from '../../../src/protocol/index.js';
import {
  DatagramChannel,
  type Opened,
  type ReceivedDatagram,
  type SealedDatagram,
} from '../../../src/protocol/datagram/datagram-channel.js';
import { establishedAs, type Role } from '../pair.js';
import { anyCrypto } from '../providers.js';

export const ROLES: readonly Role[] = ['client', 'server'];
export const peerOf = (role: Role): Role => (role === 'client' ? 'server' : 'client');

/** Both ends of one session on datagrams. */
export const datagramPair = (
  crypto: CryptoProvider = anyCrypto,
  suite: CipherSuite = 'aes-256-gcm',
): Readonly<Record<Role, DatagramChannel>> => ({
  client: new DatagramChannel(crypto, suite, establishedAs('client')),
  server: new DatagramChannel(crypto, suite, establishedAs('server')),
});

const anything = (): boolean => true;

export const open = (
  channel: DatagramChannel,
  datagram: Uint8Array,
  admits: (type: SealedType) => boolean = anything,
): Opened => channel.open(decodeFrame(datagram), admits);

/** What became of it, in a word: `taken`, `repeated`, `refused`, or why it was dropped. */
export function fateOf(channel: DatagramChannel, datagram: Uint8Array): string {
  const opened = open(channel, datagram);
  return opened.outcome === 'dropped' ? opened.reason : opened.outcome;
}

/** Opens a datagram that has to be taken. */
export function take(channel: DatagramChannel, datagram: Uint8Array): ReceivedDatagram {
  const opened = open(channel, datagram);
  if (opened.outcome === 'taken') return opened.frame;
  throw new Error(`it was ${opened.outcome}${opened.outcome === 'dropped' ? `: ${opened.reason}` : ''}`);
}

/** The acknowledgement that a datagram earns, whether it is here for the first time or not. */
export function acknowledgementOf(channel: DatagramChannel, datagram: Uint8Array): Uint8Array | undefined {
  const opened = open(channel, datagram);
  return opened.outcome === 'taken' || opened.outcome === 'repeated' ? opened.acknowledgement : undefined;
}

/** A message that fits one datagram. */
export function sealOne(channel: DatagramChannel, message: Uint8Array = new Uint8Array(0)): SealedDatagram {
  const [sealed, ...others] = channel.sealMessage(message);
  if (!sealed || others.length > 0) throw new Error('the message does not fit one datagram');
  return sealed;
}

/** What shows of a channel from outside. */
export const stateOf = ({ rekeyPending, rekeyOutstanding, framesUnderKeys }: DatagramChannel): object => ({
  rekeyPending,
  rekeyOutstanding,
  framesUnderKeys,
});
