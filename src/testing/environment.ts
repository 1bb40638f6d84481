import type { SchedulerLike } from 'rxjs';
import type { CryptoProvider } from '../protocol/index.js';
import { seededCrypto } from './seeded-crypto.js';
import { VirtualTime } from './virtual-time.js';

export interface TestEnvironmentOptions<S extends SchedulerLike> {
  /** What all randomness follows from; the default is always the same. */
  readonly seed?: string | number;
  /**
   * Whose time passes; the default is a new VirtualTime. In marble tests give the TestScheduler, and close within the test
   * what keeps itself alive, such as a client: a TestScheduler runs until nothing is left to do.
   */
  readonly scheduler?: S;
  /** Does the cryptography; the default is `nobleCrypto`. */
  readonly provider?: CryptoProvider;
}

/** What makes a run reproducible: spread it into the options of clients, servers and simulated peers. Never for production. */
export interface TestEnvironment<S extends SchedulerLike> {
  readonly crypto: CryptoProvider;
  readonly scheduler: S;
}

export function testEnvironment<S extends SchedulerLike>(
  options: TestEnvironmentOptions<S> & { readonly scheduler: S },
): TestEnvironment<S>;
export function testEnvironment(options?: TestEnvironmentOptions<VirtualTime>): TestEnvironment<VirtualTime>;
export function testEnvironment({
  seed = 'usmp-rx',
  scheduler = new VirtualTime(),
  provider,
}: TestEnvironmentOptions<SchedulerLike> = {}): TestEnvironment<SchedulerLike> {
  return { crypto: seededCrypto(seed, provider), scheduler };
}
