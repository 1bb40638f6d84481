/**
 * The promise style: `recv` with a limit on silence, and every error handled.
 * Run it: npm run demo:promises
 */
import {
  AuthError,
  ConnectionClosedError,
  CryptoError,
  generatePsk,
  nodeCrypto,
  PayloadError,
  TimeoutError,
  UsmpClient,
  UsmpServer,
  type Session,
} from 'usmp-rx/node';

const psk = generatePsk(nodeCrypto);
const server = new UsmpServer({ psk });
server.onSession(serve);
const { tcp } = await server.listen({ tcp: { port: 0 } });

async function serve(session: Session): Promise<void> {
  for (;;) {
    try {
      const message = await session.recv({ timeoutMs: 400 });
      await session.send(`got ${message.length} bytes`);
    } catch (error) {
      if (error instanceof TimeoutError && error.code === 'TIMEOUT_RECV') {
        console.log('gateway: silence, so the device is asked whether it is there');
        session.ping().then((ms) => console.log(`gateway: it answered after ${ms.toFixed(1)} ms`), console.error);
      } else if (error instanceof ConnectionClosedError) {
        console.log(`gateway: ${error.message}`);
        return;
      } else if (error instanceof CryptoError) {
        console.log(`gateway: ${error.message}. ${error.advice}`);
        return;
      } else throw error;
    }
  }
}

const print = (error: unknown): void => console.log(`device: ${String(error)}`);
const device = new UsmpClient({ port: tcp.port, deviceId: '00:11:22:33:44:55', psk });
await device.connect({ signal: AbortSignal.timeout(5_000) });
await device.send(new Uint8Array(1_808));
console.log(`device: ${new TextDecoder().decode(await device.recv({ timeoutMs: 1_000 }))}`);
await device.send(new Uint8Array(1_809)).catch((error: unknown) => {
  if (error instanceof PayloadError) console.log(`device: ${error.message}. ${error.advice}`);
});
await device.recv({ timeoutMs: 300 }).catch(print);
await device.recv({ signal: AbortSignal.timeout(400) }).catch(print);
await device.close();

const stranger = new UsmpClient({ port: tcp.port, deviceId: '00:11:22:33:44:66', psk: 'not the psk of this gateway' });
await stranger.connect().catch((error: unknown) => {
  if (error instanceof AuthError) console.log(`stranger: ${error.message}. ${error.advice}`);
});
await stranger.close();
await server.close();
