import { checkOptions } from '../protocol/check-option.js';
import { nodeCrypto } from '../crypto/node.js';
import { tcpDialer, type TcpAddress } from '../transport/tcp.js';
import type { ClientOptions } from './client-options.js';
import { UsmpClient } from './usmp-client.js';

/** The options of a client on Node: the address of a TCP server, or any other transport. */
export type NodeClientOptions = Omit<ClientOptions, 'transport'> & (TcpAddress | Pick<ClientOptions, 'transport'>);

/** UsmpClient for Node: TCP by host and port, cryptography by node:crypto. */
export class NodeUsmpClient extends UsmpClient {
  /** @throws ConfigError that names the option */
  constructor(options: NodeClientOptions) {
    checkOptions('options', options);
    super('transport' in options ? options : { ...options, transport: tcpDialer(options) }, nodeCrypto);
  }
}
