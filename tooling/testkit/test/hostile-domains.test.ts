/**
 * Domains that mean harm, started in a whole system by somebody at its console: neither init nor a
 * service breaks, others go on, and when such a domain has ended, nothing of it is left.
 */

import {
  type Capref,
  capDelete,
  capRevoke,
  capref,
  type Os,
  program,
  rootCapref,
  TASK_DOMAIN,
  TASK_INIT_EP,
  type Wait,
} from '@barreleye/libos';
import { connect } from '@barreleye/lmp';
import { NameService, System } from '@barreleye/program';
import { bindClient, type Client } from '@barreleye/rpc';
import { L2_CNODE_SLOTS, RootSlot } from '@barreleye/spec';
import { describe, expect, test } from 'vitest';
import { Desk, TARGETS, type TestTarget } from '../src/index.ts';

const EVIL = 'evil';

type SystemClient = Client<typeof System.methods>;
type NamesClient = Client<typeof NameService.methods>;

/** What every domain may do. */
function* reachInit(os: Os): Wait<SystemClient> {
  return yield* bindClient(os.scheduler, yield* connect(os, TASK_INIT_EP), System);
}

function* reachNames(os: Os, system: SystemClient): Wait<NamesClient> {
  const { endpoint } = yield* system.nameService({});
  return yield* bindClient(os.scheduler, yield* connect(os, endpoint), NameService);
}

/** Stay until somebody kills it. */
function* stay(os: Os): Wait<never> {
  for (;;) yield* os.sleep(1e12);
}

/** Every slot that a domain has without asking for more, the first slots last. */
function* everySlot(): Generator<Capref> {
  for (let l1 = RootSlot.ArgCn; l1 >= 0; l1--) {
    for (let slot = L2_CNODE_SLOTS - 1; slot >= 0; slot--) yield capref(l1, slot);
  }
  for (let l1 = RootSlot.ArgCn; l1 >= 0; l1--) yield rootCapref(l1);
}

/**
 * Run a hostile domain in the background, see that others can work beside it, kill it; twice,
 * because what the first time leaves may be of use for the second.
 */
function endure(target: TestTarget, main: (os: Os) => Wait<unknown>): Desk {
  const desk = new Desk(target, [program(EVIL, main)]);
  const round = (): void => {
    expect(desk.type(`${EVIL} &`)).toContain('is domain');
    expect(desk.type('hello; echo goes on')).toMatch(/hello, world\n.*goes on\n/s);
    const killed = desk.type(`kill ${EVIL}`) + desk.type('');
    expect(killed).toMatch(/was killed|there is no domain/);
    expect(desk.type('hello; ps')).toMatch(/hello, world\n(?!.*evil).*shell\n/s);
  };
  desk.inventory();
  round();
  const before = desk.inventory();
  round();
  expect(desk.inventory()).toEqual(before);
  expect(desk.failures([EVIL])).toEqual([]);
  return desk;
}

describe.each(TARGETS)('on $name', (target) => {
  test('a domain that revokes all that it holds takes nothing from anybody', () => {
    endure(target, function* (os) {
      const system = yield* reachInit(os);
      yield* (yield* reachNames(os, system)).lookup({ name: 'terminal' });
      for (const cap of everySlot()) capRevoke(os.sys, cap);
      yield* stay(os);
    });
  });

  test('a domain that deletes all that it holds can be killed', () => {
    endure(target, function* (os) {
      yield* reachInit(os);
      for (const cap of everySlot()) capDelete(os.sys, cap);
      yield* stay(os);
    });
  });
});

const [target] = TARGETS as [TestTarget];

test('a domain that revokes what init knows it by can be named and killed all the same', () => {
  endure(target, function* (os) {
    capRevoke(os.sys, TASK_DOMAIN);
    capRevoke(os.sys, TASK_INIT_EP);
    yield* stay(os);
  });
});
