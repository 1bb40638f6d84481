import { describe, expect, it } from '@jest/globals';
import { text, type DatagramBehaviour } from 'usmp-rx/testing';
import { watch } from '../session/marbles.js';
import {
  GIVEN_UP,
  loseNext,
  standing,
  type OpenSetting,
  type OurSession,
  type Setting,
  type SettingOptions,
  type TheirSession,
} from './setting.js';

type Named = readonly [name: string, behaviour: DatagramBehaviour];
type Side = 'our' | 'their';

const PATH = { delayMs: 5 };

/** What happens beside a rekeying; of a message that is sent then, its fate and where it should arrive. */
type Disturbance = (
  setting: Setting,
  our: OurSession,
  their: TheirSession,
) => { readonly sent: Promise<void>; readonly arrived: readonly Uint8Array[] } | undefined;

const unacknowledged =
  (initiator: Side): Disturbance =>
  (setting, our, their) => {
    loseNext(setting, 'UTACK REKEY');
    void (initiator === 'our' ? our.session.rekey() : their.peer.rekey());
    return undefined;
  };

const twoAtOnce: Disturbance = (_setting, our, their) => {
  void our.session.rekey();
  void their.peer.rekey();
  return undefined;
};

const ourRekeyMeetsTheirFrame: Disturbance = (_setting, our, their) => {
  void our.session.rekey();
  return { sent: their.peer.send('x'), arrived: our.messages };
};

const theirRekeyMeetsOurFrame: Disturbance = (_setting, our, their) => {
  void their.peer.rekey();
  return { sent: our.session.send('x'), arrived: their.messages };
};

/** Whether the session lives on. In the end there is one in any case that both sides can send in. */
async function survives(open: OpenSetting, options: SettingOptions, disturb: Disturbance): Promise<boolean> {
  const setting = await open({ ...options, path: PATH, keepaliveMs: 30_000 });
  const { time, ours, theirs } = setting;
  const { our, their } = await standing(setting);
  const disturbed = disturb(setting, our, their);
  const fate = disturbed && watch(disturbed.sent);
  await time.advance(120_000);
  const [arrived, error] = [disturbed?.arrived.map(text), our.end?.error];
  const [ourLast, theirLast] = [ours.at(-1)!, theirs.at(-1)!];
  const sent = [watch(ourLast.session.send('ours')), watch(theirLast.peer.send('theirs'))];
  await time.advance(5_000);

  if (fate?.state() === 'resolved') expect(arrived).toEqual(['x']);
  else expect(arrived?.length ?? 0).toBeLessThanOrEqual(1);
  if (error) expect(GIVEN_UP).toContain(error.code);
  expect(sent.map(({ state }) => state())).toEqual(['resolved', 'resolved']);
  expect(ourLast.session.sessionId).toBe(theirLast.peer.sessionId);
  return our.end === undefined;
}

/** 100 messages of ours before a rekeying and 100 after it, then one of theirs. */
async function rekeyAfterMany(open: OpenSetting, options: SettingOptions, initiator: Side) {
  const setting = await open({ ...options, path: PATH });
  const { time } = setting;
  const { our, their } = await standing(setting);
  const sendFrom = (first: number) =>
    Array.from({ length: 100 }, (_, n) => watch(our.session.send(Uint8Array.of(first + n))));
  const sent = sendFrom(0);
  await time.advance(3_000);
  const rekeyed = watch(initiator === 'our' ? our.session.rekey() : their.peer.rekey());
  await time.advance(3_000);
  sent.push(...sendFrom(100));
  await time.advance(20_000);
  const soon = rekeyed.state();
  if (their.peer.state === 'open') void their.peer.send('theirs');
  await time.advance(3_000);
  const arrived = new Set(their.messages.map(([n]) => n));
  return {
    acceptedAndLost: sent.flatMap(({ state }, n) => (state() === 'resolved' && !arrived.has(n) ? n : [])),
    rejected: sent.filter(({ state }) => state() !== 'resolved').length,
    /** What `rekey` had come to before and after their message. */
    rekeyed: [soon, rekeyed.state()],
    end: our.end?.error?.code,
  };
}

/** Rekeying with fielded peers, where it does not go smoothly (protocol.md section 9). */
export function describeRekeying(open: OpenSetting, behaviours: readonly Named[]): void {
  const losers = async (disturb: Disturbance): Promise<string[]> => {
    const names: string[] = [];
    for (const [name, behaviour] of behaviours) if (!(await survives(open, { behaviour }, disturb))) names.push(name);
    return names;
  };
  const losersOfMany = async (initiator: Side): Promise<Record<string, object>> => {
    const outcomes: Record<string, object> = {};
    for (const [name, behaviour] of behaviours) {
      const outcome = await rekeyAfterMany(open, { behaviour }, initiator);
      if (outcome.rejected > 0 || outcome.acceptedAndLost.length > 0) outcomes[name] = outcome;
      else expect(outcome.rekeyed).toEqual(['resolved', 'resolved']);
    }
    return outcomes;
  };

  describe('rekeying', () => {
    it('of ours whose acknowledgement is lost ends the session where its repeat is not acknowledged', async () => {
      expect(await losers(unacknowledged('our'))).toEqual([
        'posix',
        'acknowledges: once-after-verification',
        'switchKeysAtOnce: true',
      ]);
    });

    it('of theirs whose acknowledgement is lost loses nothing', async () => {
      expect(await losers(unacknowledged('their'))).toEqual([]);
    });

    it('of both at once may end the session, and then a new one goes on', async () => {
      await losers(twoAtOnce);
    });

    it('of ours that crosses a frame of theirs ends the session where they switch keys within their own send', async () => {
      expect(await losers(ourRekeyMeetsTheirFrame)).toEqual(['python', 'switchKeysAtOnce: true']);
    });

    it('of theirs that crosses a frame of ours ends the session where they read it after they have switched', async () => {
      expect(await losers(theirRekeyMeetsOurFrame)).toEqual(['esp32', 'esp32FixedTimer', 'posix']);
    });

    // They had read numbers up to 100, our REKEY's, or 99: what comes with one up to 36, or 35, counts as too old.
    it.each([
      ['our', 'pending'],
      ['their', 'resolved'],
    ] as const)(
      'of %s side after more than 64 frames loses messages that Python acknowledges, and no more',
      async (initiator, soon) => {
        const outcomes = await losersOfMany(initiator);
        expect(outcomes['python']).toEqual({
          acceptedAndLost: Array.from({ length: 36 }, (_, n) => 100 + n),
          rejected: 0,
          rekeyed: [soon, 'resolved'],
          end: undefined,
        });
        expect(outcomes['resetsReplayMark: false']).toMatchObject({
          acceptedAndLost: [],
          rejected: 100,
          end: 'TIMEOUT_ACKNOWLEDGEMENT',
        });
        expect(Object.keys(outcomes)).toHaveLength(2);
      },
    );
  });
}
