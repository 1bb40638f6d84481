import type { DatagramDialer, DatagramTransport } from './datagram.js';
import type { Dialer, Transport } from './transport.js';

/** Any way to a peer; those of kind `udp` carry datagrams. */
export type AnyTransport = Transport | DatagramTransport;
/** Any way to reach a server. */
export type AnyDialer = Dialer | DatagramDialer;
