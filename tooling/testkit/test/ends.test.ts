/** Ways to end: after each of them everything is back, and whoever waits hears how it was. */

import type { Wait } from '@barreleye/libos';
import { describe, expect, test } from 'vitest';
import {
  endOf,
  expectNothingLeft,
  infoOf,
  killFamily,
  runSystem,
  start,
  TARGETS,
  type Tester,
  type TestTarget,
} from '../src/index.ts';
import { IMMORTALS, MORTALS, pit } from './mortals.ts';

/** Long enough for a domain to come to wherever it goes. */
const A_WHILE = 2_000_000;
const KILLED = { how: 'killed', value: 0, report: '' };

const others = [...MORTALS, ...IMMORTALS].map(([, each]) => each).concat(pit);

/** Run `scenario` with a service that never answers beside it; nothing is left. */
function runLife(target: TestTarget, scenario: (tester: Tester) => Wait<void>): void {
  runSystem(
    target,
    function* (tester) {
      yield* start(tester.os, 'pit', { quotaBytes: 2 ** 20 });
      yield* tester.os.names.waitFor('pit');
      yield* expectNothingLeft(tester, () => scenario(tester));
    },
    { others },
  );
}

describe.each(TARGETS)('on $name', (target) => {
  test.each(MORTALS)('of a domain that %s everything comes back', (_, { name }, end) => {
    runLife(target, function* ({ os }) {
      const found = yield* endOf(os, yield* start(os, name));
      expect(found).toEqual({ ...end, report: expect.stringContaining(end.report) });
    });
  });

  test.each(IMMORTALS)(
    'of a domain that %s and is killed, suspended or not, everything comes back',
    (_, { name }) => {
      runLife(target, function* (tester) {
        const { os } = tester;
        for (const isSuspended of [false, true]) {
          const child = yield* start(os, name, { quotaBytes: 4 * 2 ** 20 });
          yield* os.sleep(A_WHILE);
          if (isSuspended) yield* os.system.suspend({ domain: child.domain });
          expect((yield* infoOf(os, child))?.state).toBe(isSuspended ? 'suspended' : 'running');
          yield* os.sleep(A_WHILE);
          expect(yield* killFamily(tester, child)).toEqual(KILLED);
        }
      });
    },
  );
});
