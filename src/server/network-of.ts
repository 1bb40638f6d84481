const IPV4 = /^\d+\.\d+\.\d+\.\d+$/;
const MAPPED_IPV4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/** How many of an IPv6 address's eight groups tell one customer from another: a /64 is what even the smallest gets. */
const NETWORK_GROUPS = 4;

/**
 * Whom the limits "per address" count a peer to: its address without the port; of IPv6 the /64, since one host has 2^64
 * addresses in it; of an IPv4 peer on an IPv6 socket its IPv4 address.
 * @param remoteAddress `address:port`, `[address]:port`, or any other text, which then stands for itself
 */
export function networkOf(remoteAddress: string): string {
  const host = remoteAddress.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  const mapped = MAPPED_IPV4.exec(host)?.[1];
  if (mapped !== undefined) return mapped;
  return IPV4.test(host) || (!host.includes('::') && host.split(':').length !== 8) ? host : ipv6Network(host);
}

function ipv6Network(address: string): string {
  const [before, after] = address.split('::', 2) as [string, string?];
  const head = before === '' ? [] : before.split(':');
  const tail = after === undefined || after === '' ? [] : after.split(':');
  const zeros = after === undefined ? [] : Array.from({ length: 8 - head.length - tail.length }, () => '0');
  return `${[...head, ...zeros, ...tail].slice(0, NETWORK_GROUPS).join(':')}::/64`;
}
