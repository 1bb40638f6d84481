/** A gateway with a bridge. */
import { bridge } from 'usmp-rx/bridge';
import { UsmpServer } from 'usmp-rx/node';
import { answer } from '../answering.mjs';
import { psk, token } from './credentials.mjs';

const server = new UsmpServer({ psk });
let received = 0;
server.sessions$.subscribe(({ messages$ }) => messages$.subscribe({ next: () => received++, error: () => {} }));
const { tcp } = await server.listen({ tcp: { port: 0 } });
const dashboards = await bridge(server, { port: 0, tokens: [{ token, role: 'read' }] }).listen();

answer({
  ports: () => ({ devicePort: tcp.port, dashboardPort: dashboards.port }),
  received: () => received,
  cpuUs: () => {
    const { user, system } = process.cpuUsage();
    return user + system;
  },
});
