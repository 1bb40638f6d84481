import type { BridgeEvent } from 'usmp-rx/bridge-client';

export const INCIDENT_KINDS = ['handshake', 'session', 'drop', 'refusal'] as const;
/** A handshake that failed, a session that was lost, frames that were dropped, a connection that was not let in. */
export type IncidentKind = (typeof INCIDENT_KINDS)[number];

/** Something that went wrong. */
export interface Incident {
  /** Rises by one from incident to incident. */
  readonly n: number;
  readonly kind: IncidentKind;
  readonly atMs: number;
  readonly deviceId: string | null;
  readonly remoteAddress: string | null;
  /** An error code, or a reason. */
  readonly cause: string;
  readonly detail: string;
  readonly count: number;
}

/** The same cause at the same device or, where none is known, from the same host. */
export interface IncidentGroup {
  readonly key: string;
  readonly latest: Incident;
  readonly count: number;
}

export interface Incidents {
  /** The newest first. */
  readonly latest: readonly Incident[];
  readonly groups: ReadonlyMap<string, IncidentGroup>;
  readonly counts: Readonly<Record<IncidentKind, number>>;
  /** When the first of them was; null without any. */
  readonly sinceMs: number | null;
  readonly nextN: number;
}

export const NO_INCIDENTS: Incidents = {
  latest: [],
  groups: new Map(),
  counts: { handshake: 0, session: 0, drop: 0, refusal: 0 },
  sinceMs: null,
  nextN: 0,
};

const MAX_INCIDENTS = 2_000;
/** Whoever makes addresses up makes groups: the one that was quiet for longest goes. */
const MAX_GROUPS = 500;

/** What is no failure changes nothing. */
export function withEvent(incidents: Incidents, event: BridgeEvent): Incidents {
  const description = describe(event);
  if (!description) return incidents;
  const incident: Incident = { ...description, n: incidents.nextN };
  return {
    latest: [incident, ...incidents.latest.slice(0, MAX_INCIDENTS - 1)],
    groups: grouped(incidents.groups, incident),
    counts: { ...incidents.counts, [incident.kind]: incidents.counts[incident.kind] + incident.count },
    sinceMs: incidents.sinceMs ?? incident.atMs,
    nextN: incident.n + 1,
  };
}

function grouped(groups: Incidents['groups'], latest: Incident): Incidents['groups'] {
  const key = `${latest.kind} ${latest.cause} ${latest.deviceId ?? hostOf(latest.remoteAddress)}`;
  const all = new Map(groups);
  // A map keeps the order of insertion: the latest group is the last.
  all.delete(key);
  all.set(key, { key, latest, count: (groups.get(key)?.count ?? 0) + latest.count });
  const [oldest] = all.keys();
  if (all.size > MAX_GROUPS && oldest !== undefined) all.delete(oldest);
  return all;
}

/** Each attempt comes from another port. */
const hostOf = (address: string | null): string => address?.replace(/:\d+$/, '') ?? '';

function describe(event: BridgeEvent): Omit<Incident, 'n'> | undefined {
  const { atMs } = event;
  switch (event.event) {
    case 'handshake-failed': {
      const { deviceId, remoteAddress, code, message } = event;
      return { kind: 'handshake', atMs, deviceId, remoteAddress, cause: code, detail: message, count: 1 };
    }
    case 'session-closed': {
      const { deviceId, code, message } = event;
      if (code === null) return undefined;
      return { kind: 'session', atMs, deviceId, remoteAddress: null, cause: code, detail: message, count: 1 };
    }
    case 'dropped': {
      const { deviceId, reason, count } = event;
      return { kind: 'drop', atMs, deviceId, remoteAddress: null, cause: reason, detail: '', count };
    }
    case 'refused': {
      const { remoteAddress, reason, count } = event;
      return { kind: 'refusal', atMs, deviceId: null, remoteAddress, cause: reason, detail: '', count };
    }
    case 'session-opened':
      return undefined;
  }
}

/** Of one kind or of all; the newest first. */
export const incidentsOf = ({ latest }: Incidents, kind: IncidentKind | 'all'): readonly Incident[] =>
  kind === 'all' ? latest : latest.filter((incident) => incident.kind === kind);

/** The latest first. */
export const groupsOf = ({ groups }: Incidents, kind: IncidentKind | 'all'): readonly IncidentGroup[] =>
  [...groups.values()].reverse().filter(({ latest }) => kind === 'all' || latest.kind === kind);
