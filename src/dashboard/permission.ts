import type { BridgeDevice, BridgeState } from 'usmp-rx/bridge-client';

/** Why a device can't be sent anything now, for the reader; undefined where it can. */
export function commandObstacle(state: BridgeState, device: BridgeDevice | undefined): string | undefined {
  if (state.name !== 'open') return 'There is no connection to the gateway.';
  if (state.role !== 'command') return 'Your token may only read.';
  if (!device) return 'The gateway does not know this device.';
  return device.isOnline ? undefined : 'The device has no session.';
}
