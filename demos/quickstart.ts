/**
 * Quickstart: a server and a client in one program, over real TCP.
 * Run it: npm run demo:quickstart
 */
import { generatePsk, nodeCrypto, UsmpClient, UsmpError, UsmpServer } from 'usmp-rx/node';

const text = new TextDecoder();
const psk = generatePsk(nodeCrypto);

// The gateway answers every message; the handler's end is the session's end.
const server = new UsmpServer({ psk });
server.onSession(async (session) => {
  console.log(`gateway: ${session.deviceId} is here, session ${session.sessionId.slice(0, 8)}…`);
  for await (const message of session) {
    console.log(`gateway: got "${text.decode(message)}"`);
    await session.send('noted');
  }
  console.log('gateway: the device said BYE');
});
const { tcp } = await server.listen({ tcp: { port: 0 } });
console.log(`gateway: listening on ${tcp}`);

// The device connects, sends, waits for the answer, and says BYE.
const client = new UsmpClient({ port: tcp.port, deviceId: '00:11:22:33:44:55', psk });
try {
  await client.connect({ signal: AbortSignal.timeout(5_000) });
  await client.send('21.5 degrees');
  console.log(`device: got "${text.decode(await client.recv({ timeoutMs: 5_000 }))}"`);
} catch (error) {
  if (!(error instanceof UsmpError)) throw error;
  console.error(`device: ${error.name} ${error.code}: ${error.message}. ${error.advice}`);
} finally {
  await client.close();
  await server.close();
}
