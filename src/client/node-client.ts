import { checkOptions } from '../protocol/check-option.js';
import { fastNodeCrypto } from '../crypto/fast-node.js';
import type { AnyDialer } from '../transport/any.js';
import { tcpDialer, type TcpAddress } from '../transport/tcp.js';
import { udpDialer } from '../transport/udp.js';
import type { ClientOptions } from './client-options.js';
import { UsmpClient } from './usmp-client.js';

/** The options of a client on Node: the address of a server, reached by `tcp` (the default) or `udp`; or any other way. */
export type NodeClientOptions = Omit<ClientOptions, 'transport'> &
  ((TcpAddress & { readonly transport?: 'tcp' | 'udp' }) | Pick<ClientOptions, 'transport'>);

/** UsmpClient for Node: TCP or UDP by host and port, cryptography by node:crypto. */
export class NodeUsmpClient extends UsmpClient {
  /** @throws ConfigError that names the option */
  constructor(options: NodeClientOptions) {
    super({ ...options, transport: dialerOf(checkOptions('options', options)) }, fastNodeCrypto);
  }
}

function dialerOf(options: NodeClientOptions): AnyDialer {
  if (options.transport === 'udp') return udpDialer(options);
  return options.transport === undefined || options.transport === 'tcp' ? tcpDialer(options) : options.transport;
}
