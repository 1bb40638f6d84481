import { of } from 'rxjs';
import { VirtualTime } from 'usmp-rx/testing';
import { UsmpClient } from '../../../src/client/usmp-client.js';
import { toHex, type CryptoProvider } from '../../../src/protocol/index.js';
import { UsmpServer } from '../../../src/server/server.js';
import type { Session } from '../../../src/session/session.js';
import type { DatagramSink, DatagramTransport } from '../../../src/transport/datagram.js';
import { pattern } from '../../protocol/pair.js';
import { scriptedCrypto } from '../../protocol/scripted-crypto.js';
import type { Transcript } from '../../protocol/transcripts.js';
import { fromHex } from '../../vectors.js';

/** Our side of a recorded session, with the randomness of the recording; its peer is played by the test. */
export interface OurSide {
  readonly time: VirtualTime;
  /** What it has sent, in hexadecimal, and the test has not looked at. */
  readonly sent: string[];
  /** Begins the handshake, where that is ours to do. */
  start(): void;
  deliver(datagram: Uint8Array): void;
  /** Once it stands. */
  session(): Session;
  /** Ends everything with BYE. */
  close(): Promise<void>;
}

const saltsOf = ({ rekeys }: Transcript, initiator: 'client' | 'server'): Uint8Array[] =>
  rekeys.filter((rekey) => rekey.initiator === initiator).map(({ salt }) => fromHex(salt));

export function ourClient(transcript: Transcript, provider: CryptoProvider): OurSide {
  const time = new VirtualTime();
  const sent: string[] = [];
  let sink: DatagramSink | undefined;
  const transport: DatagramTransport = {
    kind: 'udp',
    remoteAddress: '192.0.2.1:9000',
    attach: (next) => {
      sink = next;
    },
    send: (datagram) => void sent.push(toHex(datagram)),
    claim: () => {},
    destroy: () => {},
    retire: () => {},
  };
  const client = new UsmpClient({
    transport: { kind: 'udp', dial: () => of(transport) },
    deviceId: transcript.deviceId,
    psk: fromHex(transcript.psk),
    suite: transcript.cipher,
    scheduler: time,
    crypto: scriptedCrypto(provider, {
      privateKeys: [fromHex(transcript.clientPrivateKey)],
      randomBytes: saltsOf(transcript, 'client'),
    }),
  });
  const sessions: Session[] = [];
  client.session$.subscribe((session) => sessions.push(session));
  return {
    time,
    sent,
    start: () => void client.connect(),
    deliver: (datagram) => sink?.datagram(datagram),
    session: () => theOnly(sessions),
    close: () => client.close(),
  };
}

export async function ourServer(transcript: Transcript, provider: CryptoProvider): Promise<OurSide> {
  const time = new VirtualTime();
  const sent: string[] = [];
  const peer = { address: '192.0.2.7', port: 4_321 };
  let deliver: (datagram: Uint8Array) => void = () => {};
  const server = new UsmpServer({
    psk: { [transcript.deviceId]: fromHex(transcript.psk) },
    suite: transcript.cipher,
    scheduler: time,
    crypto: withCookie(provider, transcript),
  });
  const sessions: Session[] = [];
  server.sessions$.subscribe((session) => sessions.push(session));
  await server.listen({
    listeners: [
      {
        kind: 'udp',
        bind: async (receive) => {
          deliver = (datagram) => receive(datagram, peer);
          return { address: 'here:1', send: (datagram) => void sent.push(toHex(datagram)), close: () => {} };
        },
      },
    ],
  });
  return {
    time,
    sent,
    start: () => {},
    deliver: (datagram) => deliver(datagram),
    session: () => theOnly(sessions),
    close: () => server.close(),
  };
}

/** What is in a cookie is the server's own matter, so the recorded one takes the place of ours. */
function withCookie(provider: CryptoProvider, transcript: Transcript): CryptoProvider {
  const cookieSecret = pattern(32, 1);
  const scripted = scriptedCrypto(provider, {
    privateKeys: [fromHex(transcript.serverPrivateKey)],
    randomBytes: [
      cookieSecret,
      fromHex(transcript.nonce),
      fromHex(transcript.sessionId),
      ...saltsOf(transcript, 'server'),
    ],
  });
  const cookie = fromHex((transcript.cookie ?? '').padEnd(64, '0'));
  return {
    ...scripted,
    hmacSha256: (key, data) => (provider.equal(key, cookieSecret) ? cookie : provider.hmacSha256(key, data)),
  };
}

function theOnly(sessions: readonly Session[]): Session {
  const [session, ...others] = sessions;
  if (!session || others.length > 0) throw new Error(`${sessions.length} sessions stand`);
  return session;
}
