import { concatBytes } from './bytes.js';
import { PayloadError, SequenceError } from './errors.js';
import { PacketType, packetTypeName, type SealedType } from './packet-type.js';
import { MAX_FRAGMENTS } from './sizes.js';

/** A frame whose tag was verified. */
export interface OpenedFrame {
  readonly type: SealedType;
  /** 0 to 452 bytes. */
  readonly plaintext: Uint8Array;
}

/** Where a byte stream stands between the frames of its messages. */
export type Assembly =
  | { readonly at: 'between-messages' }
  | { readonly at: 'within-message'; readonly fragments: readonly Uint8Array[] }
  /** The frame just taken completed this message. */
  | { readonly at: 'message-end'; readonly message: Uint8Array };

export const BETWEEN_MESSAGES: Assembly = Object.freeze({ at: 'between-messages' });

/**
 * The reducer that joins fragments to messages on a byte stream (protocol.md sections 6 and 8).
 * @throws SequenceError `CONTROL_WITHIN_MESSAGE`, PayloadError `TOO_MANY_FRAGMENTS`
 */
export function reassemble(assembly: Assembly, { type, plaintext }: OpenedFrame): Assembly {
  const fragments = assembly.at === 'within-message' ? assembly.fragments : undefined;
  switch (type) {
    case PacketType.DATA:
      return { at: 'message-end', message: fragments ? concatBytes(...fragments, plaintext) : plaintext };
    case PacketType.DATA_FRAG:
      if (!fragments) return { at: 'within-message', fragments: [plaintext] };
      if (fragments.length === MAX_FRAGMENTS - 1) {
        throw new PayloadError('TOO_MANY_FRAGMENTS', `a message of more than ${MAX_FRAGMENTS} fragments`);
      }
      return { at: 'within-message', fragments: [...fragments, plaintext] };
    default:
      if (fragments) {
        throw new SequenceError('CONTROL_WITHIN_MESSAGE', `${packetTypeName(type)} between the fragments of a message`);
      }
      return BETWEEN_MESSAGES;
  }
}
