import { fromEvent, map, startWith, type Observable } from 'rxjs';

/** What the page shows, or does, at an address; all of it is in the fragment, which browsers do not send. */
export type Route =
  | { readonly name: 'overview' }
  | { readonly name: 'device'; readonly deviceId: string }
  | { readonly name: 'failures' }
  /** A login link. */
  | { readonly name: 'login'; readonly token: string };

const DEVICE_ID = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/;

/** Any other fragment is the overview's. */
export function routeOf(hash: string): Route {
  const token = /^#token=(.+)$/.exec(hash)?.[1];
  if (token) return { name: 'login', token: decoded(token) };
  const [, page, deviceId] = /^#\/([a-z]+)(?:\/(.+))?$/.exec(hash) ?? [];
  if (page === 'failures') return { name: 'failures' };
  if (page === 'devices' && deviceId && DEVICE_ID.test(deviceId)) return { name: 'device', deviceId };
  return { name: 'overview' };
}

export function hashOf(route: Exclude<Route, { name: 'login' }>): string {
  if (route.name === 'overview') return '#/';
  return route.name === 'device' ? `#/devices/${route.deviceId}` : '#/failures';
}

/** The present route first. */
export function routes(window: Window): Observable<Route> {
  return fromEvent(window, 'hashchange').pipe(
    startWith(undefined),
    map(() => routeOf(window.location.hash)),
  );
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
