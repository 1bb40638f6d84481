import type { UsmpError } from '../protocol/errors.js';
import type { UsmpServer } from '../server/server.js';
import type { CommandFrame } from './payload-frame.js';
import type { ClientMessage, RefusalCode, ServerMessage } from './protocol.js';

/** What a dashboard asks of a device. */
export type Command =
  | ({ readonly type: 'send' } & CommandFrame)
  | Extract<ClientMessage, { readonly type: 'ping' | 'end' }>;

export type Answer = Extract<ServerMessage, { readonly type: 'result' | 'refused' }>;

export const refusal = (id: number, code: RefusalCode, message: string): Answer => ({
  type: 'refused',
  id,
  code,
  message,
});

/** Resolves with the answer when it is known; never rejects. */
export async function carryOut(server: UsmpServer, command: Command): Promise<Answer> {
  const { id } = command;
  const session = server.session(command.deviceId);
  if (!session) return refusal(id, 'NOT_CONNECTED', 'the device has no session');
  try {
    switch (command.type) {
      case 'send':
        await session.send(command.payload);
        break;
      case 'ping':
        return { type: 'result', id, ok: true, roundTripMs: await session.ping() };
      case 'end':
        await session.bye();
    }
    return { type: 'result', id, ok: true };
  } catch (error) {
    // A session rejects with nothing else.
    const { code, message } = error as UsmpError;
    return { type: 'refused', id, code, message };
  }
}
