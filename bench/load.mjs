/** The load generator of one peer, in a process of its own: node load.mjs <peer> */
import { argv } from 'node:process';
import { answer } from './answering.mjs';
import { Connections } from './load/connections.mjs';
import { echo } from './load/echo.mjs';
import { handshakes } from './load/handshakes.mjs';
import { oneWay } from './load/one-way.mjs';
import { silentConnections } from './load/silent-connections.mjs';
import { peerNamed } from './peers/index.mjs';

const connections = new Connections(await peerNamed(argv[2]));

answer({
  open: (params) => connections.open(params),
  oneWay: (params) => oneWay(connections.all, params),
  echo: (params) => echo(connections.all, params),
  handshakes: (params) => handshakes(connections, params),
  silent: silentConnections,
});
