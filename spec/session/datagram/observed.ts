import type { Session } from '../../../src/session/session.js';
import type { SessionEvent } from '../../../src/session/session-event.js';
import { text } from '../../../src/testing/index.js';

/** The messages of a session as texts, as they come; consumes them, whatever the end. */
export function textsOf(session: Session): string[] {
  const received: string[] = [];
  session.messages$.subscribe({ next: (message) => received.push(text(message)), error: () => {} });
  return received;
}

/** Why datagrams were dropped, as it happens. */
export function dropsOf(session: Session): string[] {
  const reasons: string[] = [];
  session.events$.subscribe((event) => {
    if (event.type === 'dropped') reasons.push(event.reason);
  });
  return reasons;
}

/** What happens: `message 5`, `rekeyed local`, `dropped gap`, `closed remote`. */
export function eventsOf(session: Session): string[] {
  const events: string[] = [];
  session.events$.subscribe((event) => events.push(describeEvent(event)));
  return events;
}

function describeEvent(event: SessionEvent): string {
  switch (event.type) {
    case 'message':
    case 'sent':
      return `${event.type} ${event.bytes}`;
    case 'rekeyed':
      return `rekeyed ${event.initiator}`;
    case 'dropped':
      return `dropped ${event.reason}`;
    case 'closed':
      return `closed ${event.info.origin}${event.info.error ? ` ${event.info.error.code}` : ''}`;
    case 'send-refused':
      return `send-refused ${event.error.code}`;
    default:
      return event.type;
  }
}
