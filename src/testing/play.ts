import {
  concatMap,
  dematerialize,
  filter,
  map,
  materialize,
  take,
  takeUntil,
  type Observable,
  type Subscription,
} from 'rxjs';
import type { FrameRecipe } from './peer-channel.js';
import { SimulatedDevice, type SimulatedDeviceOptions } from './simulated-device.js';
import type { SimulatedPeer } from './simulated-peer.js';

/**
 * Has a simulated peer play an observable, from now on: each value is a message that it sends at that time, completion is BYE,
 * an error cuts the connection. Until the session stands, values wait. Ends when the peer's connection does.
 */
export function playMessages(peer: SimulatedPeer, messages$: Observable<Uint8Array | string>): Subscription {
  return play(peer, messages$, (message) => peer.send(message));
}

/** The same with frames: recipes to seal, or bytes that are sent as they are. */
export function playFrames(peer: SimulatedPeer, frames$: Observable<FrameRecipe | Uint8Array>): Subscription {
  return play(peer, frames$, (frame) => {
    if (frame instanceof Uint8Array) peer.sendRaw(frame);
    else peer.sendFrame(frame);
  });
}

/** Connects a simulated device for each device id and has it play its messages. Returns the devices by the same ids. */
export function playDevices<Id extends string>(
  messages$ByDevice: Readonly<Record<Id, Observable<Uint8Array | string>>>,
  options: Omit<SimulatedDeviceOptions, 'deviceId'>,
): Record<Id, SimulatedDevice> {
  const devices = Object.entries<Observable<Uint8Array | string>>(messages$ByDevice).map(([deviceId, messages$]) => {
    const device = new SimulatedDevice({ ...options, deviceId });
    void device.connect();
    playMessages(device, messages$);
    return [deviceId, device] as const;
  });
  return Object.fromEntries(devices) as Record<Id, SimulatedDevice>;
}

function play<T>(peer: SimulatedPeer, values$: Observable<T>, send: (value: T) => void): Subscription {
  const opened$ = peer.state$.pipe(
    filter((state) => state === 'open'),
    take(1),
  );
  return values$
    .pipe(
      materialize(),
      concatMap((notification) => opened$.pipe(map(() => notification))),
      dematerialize(),
      takeUntil(peer.ends$),
    )
    .subscribe({
      next: send,
      error: (cause: unknown) => peer.cut(cause),
      complete: () => {
        if (peer.state === 'open') peer.bye();
      },
    });
}
