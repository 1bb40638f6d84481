import { merge, mergeMap, Observable, of, throwError, timeout } from 'rxjs';
import {
  BRIDGE_SUBPROTOCOL,
  BridgeCloseCode,
  BridgeProtocolError,
  parseServerMessage,
  type Role,
} from '../protocol.js';
import { BridgeError, bridgeError } from './bridge-error.js';
import type { BridgeSettings } from './bridge-options.js';
import { Link } from './link.js';
import type { WebSocketLike } from './web-socket.js';

/** From the WebSocket to the bridge's welcome. */
const CONNECT_TIMEOUT_MS = 10_000;

/**
 * Opens a WebSocket and emits its link once the bridge has said welcome. Errors with the BridgeError that tells why it ended,
 * now or later; never completes. Unsubscribing closes the WebSocket.
 */
export function openLink({ url, protocols, scheduler, WebSocket }: BridgeSettings): Observable<Link> {
  const links$ = new Observable<Link>((subscriber) => {
    // Who is told that an attempt begins may have ended it.
    if (subscriber.closed) return;
    const socket = construct(WebSocket, url, protocols);
    let isOpen = false;
    let link: Link | undefined;
    socket.binaryType = 'arraybuffer';
    socket.addEventListener('open', () => {
      isOpen = true;
      if (socket.protocol === BRIDGE_SUBPROTOCOL) return;
      subscriber.error(bridgeError('SUBPROTOCOL', `the server does not speak ${BRIDGE_SUBPROTOCOL}`));
    });
    socket.addEventListener('message', ({ data }) => {
      if (subscriber.closed) return;
      try {
        if (link) return link.receive(data);
        subscriber.next((link = new Link(socket, welcomedRole(data))));
      } catch (error) {
        link?.end();
        socket.close(BridgeCloseCode.BAD_MESSAGE, 'not in the protocol');
        const { message } = error as BridgeProtocolError;
        subscriber.error(bridgeError('PROTOCOL', `the bridge broke the protocol: ${message}`, error));
      }
    });
    socket.addEventListener('close', ({ code, reason }) => {
      link?.end();
      subscriber.error(whyClosed(code, reason, isOpen));
    });
    // Says nothing that `close` does not, but without a listener the package `ws` throws it.
    socket.addEventListener('error', () => {});
    return () => {
      link?.end();
      socket.close();
    };
  });
  const tooSlow = (): BridgeError => bridgeError('TIMEOUT', `no welcome of the bridge within ${CONNECT_TIMEOUT_MS} ms`);
  return links$.pipe(
    timeout({ first: CONNECT_TIMEOUT_MS, scheduler, with: () => throwError(tooSlow) }),
    mergeMap((link) => merge(of(link), link.silence$(scheduler))),
  );
}

function construct(
  WebSocket: BridgeSettings['WebSocket'],
  url: string,
  protocols: BridgeSettings['protocols'],
): WebSocketLike {
  try {
    return new WebSocket(url, [...protocols]);
  } catch (error) {
    // Its message may quote the token.
    const name = error instanceof Error ? error.name : typeof error;
    throw bridgeError('CONNECT_FAILED', `the WebSocket could not be made: ${name}`);
  }
}

function welcomedRole(data: unknown): Role {
  const message = typeof data === 'string' ? parseServerMessage(data) : undefined;
  if (message?.type === 'welcome') return message.role;
  throw new BridgeProtocolError(`expected welcome, got ${message?.type ?? 'a binary frame'}`);
}

function whyClosed(closeCode: number, reason: string, wasOpen: boolean): BridgeError {
  const name = Object.entries(BridgeCloseCode).find(([, code]) => code === closeCode)?.[0];
  const because = reason && `: ${reason}`;
  if (closeCode === BridgeCloseCode.UNAUTHORIZED) {
    return new BridgeError('UNAUTHORIZED', `the bridge does not accept this token${because}`);
  }
  if (name) return new BridgeError(name, `the bridge closed the connection, ${name}${because}`);
  return wasOpen
    ? bridgeError('CONNECTION_LOST', `the connection to the bridge ended, ${closeCode}${because}`)
    : bridgeError('CONNECT_FAILED', 'the bridge is not there, or it refuses this page');
}
