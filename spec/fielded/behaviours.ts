import { FIELDED_DATAGRAM_PEERS, type DatagramBehaviour } from 'usmp-rx/testing';

const { ideal } = FIELDED_DATAGRAM_PEERS;

type Deviation = Partial<DatagramBehaviour>;
type Named = readonly [name: string, behaviour: DatagramBehaviour];

/** Each way in which a peer may differ from the ideal one, alone. */
const DEVIATIONS: readonly Deviation[] = [
  { acknowledges: 'at-receipt' },
  { acknowledges: 'once-after-verification' },
  { handshakeGoesBy: 'acknowledgements' },
  { timer: 'fixed' },
  { switchKeysAtOnce: true },
  { resetsReplayMark: false },
  // A device that repeats HELLO until it has read the answer, and reads nothing meanwhile, would never come to a session.
  { readsWhileSending: false, handshakeGoesBy: 'acknowledgements' },
];

const CLIENT_DEVIATIONS: readonly Deviation[] = [{ acknowledgesHelloRetry: false }, { abortsOnRepeats: true }];

const named = (deviation: Deviation): Named => [
  Object.entries(deviation)
    .map(([name, value]) => `${name}: ${value}`)
    .join(', '),
  { ...ideal, ...deviation },
];

export const PRESETS: readonly Named[] = Object.entries<DatagramBehaviour>(FIELDED_DATAGRAM_PEERS);
export const GATEWAYS: readonly Named[] = [...PRESETS, ...DEVIATIONS.map(named)];
export const DEVICES: readonly Named[] = [...GATEWAYS, ...CLIENT_DEVIATIONS.map(named)];
