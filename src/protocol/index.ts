export { concatBytes, toHex, utf8 } from './bytes.js';
export { ControlFloodDetector, CONTROL_WINDOW_MS, MAX_CONTROL_FRAMES } from './control-flood.js';
export { crc16 } from './crc16.js';
export type { Aead, CipherSuite, CryptoProvider, KeyPair } from './crypto-provider.js';
export {
  decodeAcknowledgement,
  encodeAcknowledgement,
  isAcknowledgement,
  isAuthenticAcknowledgement,
  sealAcknowledgement,
  type Acknowledgement,
} from './datagram/acknowledgement.js';
export { CookieMint, type CookieBinding } from './datagram/cookie.js';
export {
  BETWEEN_DATAGRAM_MESSAGES,
  reassembleDatagrams,
  type DatagramAssembly,
  type MessageDrop,
  type SequencedFrame,
} from './datagram/datagram-reassembly.js';
export { ReplayWindow } from './datagram/replay-window.js';
export { RoundTripEstimate } from './datagram/round-trip-estimate.js';
export { MAX_ATTEMPTS, StopAndWait } from './datagram/stop-and-wait.js';
export { formatDeviceId, normalizeDeviceId, parseDeviceId } from './device-id.js';
export * from './errors.js';
export { checkMessageLength, forEachFragment, fragmentCount, sealedMessageBytes } from './fragmentation.js';
export { decodeFrame, encodeFrame, Frame, PROTOCOL_VERSION } from './frame.js';
export { FrameDecoder } from './frame-decoder.js';
export {
  CLIENT_TRANSITIONS,
  clientHandshake,
  stepClientHandshake,
  type ClientHandshakeInput,
  type ClientHandshakeState,
} from './handshake/client.js';
export type { Output as HandshakeOutput, Step as HandshakeStep, TransitionTable } from './handshake/machine.js';
export {
  SERVER_TRANSITIONS,
  serverHandshake,
  stepServerHandshake,
  type ServerHandshakeInput,
  type ServerHandshakeState,
} from './handshake/server.js';
export {
  clientHmac,
  deriveRekeyedKeys,
  deriveSessionKeys,
  serverHmac,
  swapDirections,
  wipeKeys,
  type DirectionKeys,
  type HandshakeTranscript,
} from './key-schedule.js';
export { isSealedType, PacketType, packetTypeName, type PacketTypeName, type SealedType } from './packet-type.js';
export { generatePsk, isLowEntropyPsk, parsePsk, type PskInput } from './psk.js';
export { BETWEEN_MESSAGES, reassemble, type Assembly, type OpenedFrame } from './reassembly.js';
export { FrameOpener, FrameSealer, sealedFrameBytes } from './sealed-frame.js';
export { Secret } from './secret.js';
export {
  CONTROL_FRAME_BYTES,
  REKEY_FRAME_BYTES,
  SecureChannel,
  type ControlType,
  type EstablishedSession,
  type ReceivedFrame,
} from './secure-channel.js';
export * from './sizes.js';
