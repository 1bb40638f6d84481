import { ConfigError } from '../protocol/errors.js';
import { checkList } from './check-list.js';

/** Which web pages may connect. Programs that are no browser send no origin, and may; the token is asked of all. */
export class OriginPolicy {
  readonly #allowed: ReadonlySet<string>;

  /** @throws ConfigError `CONFIG_OPTION` for what is no origin like `https://dashboard.example` */
  constructor(allowed: readonly string[]) {
    checkList('allowedOrigins', allowed);
    for (const origin of allowed) {
      if (parse(origin)?.origin === origin) continue;
      throw new ConfigError(
        'CONFIG_OPTION',
        `allowedOrigins: expected scheme, host and port alone, as in https://dashboard.example, got ${origin}`,
      );
    }
    this.#allowed = new Set(allowed);
  }

  /** @param host of the request, which is the page's own where the page came from this very server */
  admits(origin: string | undefined, host: string | undefined): boolean {
    if (origin === undefined || this.#allowed.has(origin)) return true;
    return host !== undefined && parse(origin)?.host === host.toLowerCase();
  }
}

function parse(origin: string): URL | undefined {
  return URL.canParse(origin) ? new URL(origin) : undefined;
}
