import { PacketType } from '../packet-type.js';
import { reassemble, type OpenedFrame } from '../reassembly.js';
import { MAX_FRAGMENTS } from '../sizes.js';

export interface SequencedFrame extends OpenedFrame {
  /** Whether its number follows directly on the last one taken under its key; the first one is 0. */
  readonly inSequence: boolean;
}

/** Why a message, or a part of one, was dropped. */
export type MessageDrop = 'gap' | 'control-within-message' | 'too-many-fragments';

/** Where datagrams stand between the frames of their messages. */
export type DatagramAssembly = (
  | { readonly at: 'between-messages' }
  | { readonly at: 'within-message'; readonly fragments: readonly Uint8Array[] }
  /** The frame just taken completed this message. */
  | { readonly at: 'message-end'; readonly message: Uint8Array }
  /** The rest of a message whose beginning is missing is passed over, up to its DATA. */
  | { readonly at: 'skipping-rest' }
) & {
  /** Why the frame just taken cost a message, or a part of one. */
  readonly dropped?: MessageDrop;
};

export const BETWEEN_DATAGRAM_MESSAGES: DatagramAssembly = Object.freeze({ at: 'between-messages' });
const SKIPPING_REST: DatagramAssembly = Object.freeze({ at: 'skipping-rest' });

/**
 * The reducer that joins fragments to messages on datagrams, where a violation costs the message and the session lives
 * (protocol.md section 6). Never throws. Of frames with gaps it makes whole messages or none.
 */
export function reassembleDatagrams(assembly: DatagramAssembly, frame: SequencedFrame): DatagramAssembly {
  const { type, inSequence } = frame;
  const fragments = assembly.at === 'within-message' ? assembly.fragments : undefined;
  if (type !== PacketType.DATA && type !== PacketType.DATA_FRAG) {
    if (!fragments) return BETWEEN_DATAGRAM_MESSAGES;
    return { at: 'between-messages', dropped: inSequence ? 'control-within-message' : 'gap' };
  }
  const passedOver = type === PacketType.DATA ? BETWEEN_DATAGRAM_MESSAGES : SKIPPING_REST;
  // After a gap nobody knows whether a message begins with this frame.
  if (!inSequence) return { ...passedOver, dropped: 'gap' };
  if (assembly.at === 'skipping-rest') return passedOver;
  if (type === PacketType.DATA_FRAG && fragments?.length === MAX_FRAGMENTS - 1) {
    return { ...passedOver, dropped: 'too-many-fragments' };
  }
  return reassemble(assembly, frame);
}
