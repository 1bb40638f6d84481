/** Devices that send messages which begin with the time. */
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { UsmpClient } from 'usmp-rx/node';
import { answer } from '../answering.mjs';
import { sharedNowMs } from './clock.mjs';
import { psk } from './credentials.mjs';

let devices = [];
/** Ever. */
let sent = 0;

answer({
  async connect({ devicePort, count }) {
    devices = Array.from({ length: count }, (_, n) => {
      const deviceId = `02:00:00:00:00:${n.toString(16).padStart(2, '0')}`;
      return new UsmpClient({ port: devicePort, deviceId, psk });
    });
    await Promise.all(devices.map((device) => device.connect()));
  },
  /** Each device sends a message every so many milliseconds, one device after the other. Returns how many all have sent, ever. */
  async pace({ ms, everyMs, bytes }) {
    const start = performance.now();
    for (let n = 0; performance.now() - start < ms; n++) {
      const dueMs = start + (n * everyMs) / devices.length;
      if (dueMs > performance.now()) await sleep(dueMs - performance.now());
      void devices[n % devices.length].send(stamped(bytes));
    }
    return sent;
  },
  /** All devices send as fast as they may; returns the same. */
  async flood({ ms, bytes }) {
    const start = performance.now();
    const flood = async (device) => {
      while (performance.now() - start < ms) {
        await device.send(stamped(bytes));
        await turn();
      }
    };
    await Promise.all(devices.map(flood));
    return sent;
  },
});

function stamped(bytes) {
  sent++;
  const message = new Uint8Array(bytes);
  new DataView(message.buffer).setFloat64(0, sharedNowMs());
  return message;
}
