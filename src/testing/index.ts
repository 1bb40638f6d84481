export { comparable } from './comparable.js';
export { testEnvironment, type TestEnvironment, type TestEnvironmentOptions } from './environment.js';
export { withLowOrderKey, withWrongProof } from './faulty-crypto.js';
export { faultyDialer, type LineFaults } from './faulty-dialer.js';
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
export { VirtualTime } from './virtual-time.js';
