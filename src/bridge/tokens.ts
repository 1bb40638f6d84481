import { createHash, timingSafeEqual } from 'node:crypto';
import { ConfigError } from '../protocol/errors.js';
import { checkList } from './check-list.js';
import { ROLES, type Role } from './protocol.js';

/** Who may come in, and what for. */
export interface BridgeToken {
  /** 16 to 1,000 characters that nobody can guess. */
  readonly token: string;
  /** `read` sees; `command` also sends, pings and ends. */
  readonly role: Role;
}

const MIN_TOKEN_CHARACTERS = 16;
const MAX_TOKEN_CHARACTERS = 1_000;

interface KnownToken {
  readonly digest: Uint8Array;
  readonly role: Role;
}

/** The tokens, as digests alone: what is not kept can't be shown. */
export class Tokens {
  readonly #known: readonly KnownToken[];

  /** @throws ConfigError `CONFIG_OPTION`, which never shows a token */
  constructor(tokens: readonly BridgeToken[]) {
    checkList('tokens', tokens);
    if (tokens.length === 0) throw invalid('tokens: expected at least one');
    this.#known = tokens.map(known);
    const distinct = new Set(this.#known.map(({ digest }) => String(digest)));
    if (distinct.size < tokens.length) throw invalid('tokens: the same one is there twice');
  }

  /** What a token allows, undefined where it is wrong. Takes the same time for every wrong token of its length. */
  roleOf(token: Uint8Array | string): Role | undefined {
    const presented = digestOf(token);
    let role: Role | undefined;
    for (const known of this.#known) if (timingSafeEqual(known.digest, presented)) role = known.role;
    return role;
  }
}

/** Echoes nothing of what it checks: a token may stand anywhere by mistake. */
function known(entry: Partial<BridgeToken> | null, at: number): KnownToken {
  const { token = '', role } = entry ?? {};
  const { length } = typeof token === 'string' ? token : '';
  if (length < MIN_TOKEN_CHARACTERS || length > MAX_TOKEN_CHARACTERS) {
    throw invalid(`tokens[${at}].token: expected ${MIN_TOKEN_CHARACTERS} to ${MAX_TOKEN_CHARACTERS} characters`);
  }
  if (!role || !ROLES.includes(role)) throw invalid(`tokens[${at}].role: expected ${ROLES.join(' or ')}`);
  return { digest: digestOf(token), role };
}

/** Of equal length whatever the token's. */
const digestOf = (token: Uint8Array | string): Uint8Array => createHash('sha256').update(token).digest();

const invalid = (message: string): ConfigError => new ConfigError('CONFIG_OPTION', message);
