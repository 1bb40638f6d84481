import { once } from 'node:events';
import { connect } from 'node:net';

const AT_ONCE = 16;
const open = [];

/** TCP connections over which nothing is ever sent, until there are `count`. */
export async function silentConnections({ address, count }) {
  const more = async () => {
    while (open.length < count) {
      const socket = connect({ host: '127.0.0.1', port: address.port });
      open.push(socket);
      await once(socket, 'connect');
      socket.on('error', () => {});
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, more));
}
