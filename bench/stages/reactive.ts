import { filter, map, scan, share, Subject, timeout } from 'rxjs';
import { PacketType } from '../../src/protocol/packet-type.js';
import { BETWEEN_MESSAGES, reassemble, type Assembly, type OpenedFrame } from '../../src/protocol/reassembly.js';
import { defaultScheduler } from '../../src/session/default-scheduler.js';
import { repeated, type Stage } from './stage.js';

/** What operators cost that one might put between frames and messages. */
export function reactiveStages(bytes: number): Stage[] {
  const frame: OpenedFrame = { type: PacketType.DATA, plaintext: new Uint8Array(bytes) };
  const frames$ = new Subject<OpenedFrame>();
  const limited$ = new Subject<OpenedFrame>();
  const joined$ = frames$.pipe(
    scan<OpenedFrame, Assembly, Assembly>(reassemble, BETWEEN_MESSAGES),
    filter((assembly) => assembly.at === 'message-end'),
    map(({ message }) => message),
    share(),
  );
  joined$.subscribe();
  return [
    { name: 'RxJS: Subject, scan(reassemble), filter, map, share', run: repeated(() => frames$.next(frame)) },
    {
      name: 'RxJS: timeout({ each }) on the default scheduler',
      run(messages) {
        const limit = limited$.pipe(timeout({ each: 60_000, scheduler: defaultScheduler })).subscribe();
        repeated(() => limited$.next(frame))(messages);
        limit.unsubscribe();
      },
    },
    {
      name: 'a promise, made, resolved and awaited',
      async run(messages) {
        for (let n = 0; n < messages; n++) {
          await new Promise<void>((resolve) => {
            resolve();
          });
        }
      },
    },
  ];
}
