/**
 * A reactive backend: all sessions as one stream, grouped by device, an alert on a sliding window that sends a command back.
 * Run it: npm run demo:reactive
 */
import { bufferCount, catchError, EMPTY, filter, groupBy, interval, map, mergeMap, takeUntil, timer } from 'rxjs';
import { generatePsk, nodeCrypto, UsmpClient, UsmpServer } from 'usmp-rx/node';

const decoder = new TextDecoder();
const psk = generatePsk(nodeCrypto);
const server = new UsmpServer({ psk });
const { tcp } = await server.listen({ tcp: { port: 0 } });

/** Every reading of every device; one session's failure ends that session's readings and nothing else. */
const readings$ = server.sessions$.pipe(
  mergeMap((session) =>
    session.messages$.pipe(
      map((message) => ({ session, celsius: Number(decoder.decode(message)) })),
      catchError((error: unknown) => {
        console.log(`${session.deviceId} left: ${String(error)}`);
        return EMPTY;
      }),
    ),
  ),
);

/** Where the mean of a device's last five readings is above 30 degrees. */
const alerts$ = readings$.pipe(
  groupBy(({ session }) => session.deviceId),
  mergeMap((device$) => device$.pipe(bufferCount(5, 1))),
  map((window) => ({ window, mean: window.reduce((sum, { celsius }) => sum + celsius, 0) / window.length })),
  filter(({ window, mean }) => window.length === 5 && mean > 30),
);

alerts$.subscribe(({ window, mean }) => {
  for (const { session } of window.slice(-1)) {
    console.log(`alert: ${session.deviceId} is at ${mean.toFixed(1)} degrees, fan on`);
    session.send('fan on').catch((error: unknown) => console.log(`command not sent: ${String(error)}`));
  }
});

/** Two devices: one stays cool, one heats up until it is told to cool. */
async function simulate(deviceId: string, slope: number): Promise<void> {
  const client = new UsmpClient({ port: tcp.port, deviceId, psk });
  const fanOn$ = client.messages$.pipe(filter((message) => decoder.decode(message) === 'fan on'));
  const celsius$ = interval(50).pipe(map((n) => 20 + n * slope));
  celsius$.pipe(takeUntil(fanOn$), takeUntil(timer(1_500))).subscribe({
    next: (celsius) => void client.send(String(celsius)),
    complete: () => void client.close(),
  });
  await client.connect();
}

await Promise.all([simulate('00:00:00:00:00:01', 0), simulate('00:00:00:00:00:02', 1)]);
setTimeout(() => void server.close(), 2_000);
