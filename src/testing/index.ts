export { comparable } from './comparable.js';
export { FIELDED_DATAGRAM_PEERS, type DatagramBehaviour } from './datagram-behaviour.js';
export {
  datagramNetwork,
  type DatagramDialerOptions,
  type DatagramNetwork,
  type SentDatagram,
} from './datagram-network.js';
export { testEnvironment, type TestEnvironment, type TestEnvironmentOptions } from './environment.js';
export { withLowOrderKey, withWrongProof } from './faulty-crypto.js';
export { faultyDialer, type LineFaults } from './faulty-dialer.js';
export { FaultyLink, type LinkCopy, type LinkCounters } from './faulty-link.js';
export type { BadPath, Direction, PathConditions, PathOptions } from './faulty-path.js';
export type { Blackout, LinkConditions } from './link-conditions.js';
export { memoryNetwork, type MemoryDialerOptions, type MemoryNetwork } from './memory-network.js';
export { MISBEHAVIOURS, type Misbehaviour } from './misbehaviour.js';
export type { FrameRecipe } from './peer-channel.js';
export type { PeerBehaviour } from './peer-session.js';
export { playDevices, playFrames, playMessages } from './play.js';
export {
  openSession,
  sessionFromFrames,
  sessionFromMessages,
  type PlayedSession,
  type PlayedSessionOptions,
} from './played-session.js';
export { seededCrypto } from './seeded-crypto.js';
export { SimulatedDevice, type SimulatedDeviceOptions } from './simulated-device.js';
export { SimulatedGateway, type SimulatedGatewayOptions } from './simulated-gateway.js';
export { SimulatedPeer, type PeerState, type SimulatedPeerOptions } from './simulated-peer.js';
export { bytes, text } from './text.js';
export { udpProxy, type UdpProxy, type UdpProxyOptions } from './udp-proxy.js';
export { VirtualTime } from './virtual-time.js';
export { SimulatedDatagramDevice, type SimulatedDatagramDeviceOptions } from './simulated-datagram-device.js';
export { SimulatedDatagramGateway, type SimulatedDatagramGatewayOptions } from './simulated-datagram-gateway.js';
export { SimulatedDatagramPeer, type SimulatedDatagramPeerOptions } from './simulated-datagram-peer.js';
