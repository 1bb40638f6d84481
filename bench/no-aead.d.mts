import type { CryptoProvider } from '../src/protocol/crypto-provider.js';

export declare function withoutAead(provider: CryptoProvider): CryptoProvider;
