import type { CipherSuite } from '../../src/protocol/index.js';
import type { Role } from './pair.js';

/** A whole recorded session; everything binary is in hexadecimal. */
export interface Transcript {
  readonly name: string;
  readonly transport: 'tcp' | 'udp';
  readonly cipher: CipherSuite;
  readonly psk: string;
  readonly deviceId: string;
  readonly sessionId: string;
  readonly clientPrivateKey: string;
  readonly serverPrivateKey: string;
  readonly clientPublicKey: string;
  readonly serverPublicKey: string;
  readonly nonce: string;
  /** On UDP. */
  readonly cookie: string | null;
  readonly clientToServerKey: string;
  readonly serverToClientKey: string;
  readonly rekeys: readonly Rekey[];
  readonly steps: readonly TranscriptStep[];
}

export interface Rekey {
  readonly initiator: Role;
  readonly salt: string;
  readonly clientToServerKey: string;
  readonly serverToClientKey: string;
}

export interface TranscriptStep {
  readonly from: Role;
  readonly what: string;
  readonly bytes: string;
  /** Of a sealed frame. */
  readonly plaintext?: string;
  /** With the last frame of a message, the whole of it. */
  readonly message?: string;
}

/** One call of a sender: a single frame, or all frames of a message. */
export interface Turn {
  readonly from: Role;
  readonly what: string;
  readonly steps: readonly TranscriptStep[];
  readonly message: string | undefined;
}

/** Joins the fragments of each message; a message's frames follow each other. */
export function turnsOf(steps: readonly TranscriptStep[]): Turn[] {
  const turns: Turn[] = [];
  let fragments: TranscriptStep[] = [];
  for (const step of steps) {
    fragments.push(step);
    if (step.what === 'DATA_FRAG') continue;
    turns.push({ from: step.from, what: step.what, steps: fragments, message: step.message });
    fragments = [];
  }
  return turns;
}
