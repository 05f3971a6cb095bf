import { asPaddr, asPtr } from '@barreleye/core';
import {
  Cte,
  Dcb,
  DcbState,
  Kcb,
  NO_DCB,
  ObjType,
  PageFlag,
  RtQueue,
  TaskType,
} from '@barreleye/spec';
import { describe, expect, test } from 'vitest';
import { checkInvariants } from '../src/index.ts';
import { removeFromQueue, stopRunning } from '../src/schedule.ts';
import { setWakeup } from '../src/wakeup.ts';
import { TARGETS } from './bench.ts';
import { type Spawned, Spawner } from './spawn.ts';
import { must, OWN_DISPATCHER, ROOT_TABLE, User } from './user.ts';

/** A system with something of everything in it. */
interface Scene {
  readonly user: User;
  readonly others: readonly [Spawned, Spawned, Spawned];
  readonly table: number;
  readonly frame: number;
}

function build(target: (typeof TARGETS)[number]): Scene {
  const user = new User(target, { dispatchers: 3 });
  const { kernel, arch } = user.bench;
  const spawner = new Spawner(user);
  const others = [spawner.spawn(), spawner.spawn(), spawner.spawn()] as const;
  for (const [i, { dcb }] of others.slice(1).entries()) {
    removeFromQueue(kernel, dcb);
    setWakeup(kernel, dcb, 2 ** 40 + i);
  }
  const table = user.makeTables(arch.heapBase);
  const frame = user.make(ObjType.Frame, 4 * 4096);
  must(user.map(table, frame, user.newSlot(), { first: 4, count: 2 }));
  user.makeEndpoint(0x2000, 8);
  return { user, others, table, frame };
}

describe.each(TARGETS)('checkInvariants on $name', (target) => {
  test('finds nothing wrong with a system that is well', () => {
    expect(checkInvariants(build(target).user.bench.kernel)).toEqual([]);
  });

  const breakages: readonly (readonly [string, string, (scene: Scene) => void])[] = [
    [
      'I11',
      'an endpoint buffer that begins in the shared part of the frame',
      ({ user }) => {
        const slot = user.slot(user.newSlot() - 1);
        expect(Cte.type.get(mem(user), slot)).toBe(ObjType.EndPointLMP);
        Cte.arg0.set(mem(user), slot, 64);
      },
    ],
    [
      'I16',
      'a page that shows a kernel object',
      ({ user, table }) => writePage(user, table, 5, user.bench.plan.kcb),
    ],
    [
      'I18',
      'a page of RAM that is no frame',
      ({ user, table }) => writePage(user, table, 5, user.bench.plan.ram + 2 ** 20),
    ],
    [
      'I46',
      'a page with more rights than its capability has',
      ({ user, table, frame }) => {
        const mapping = user.slot(user.newSlot() - 3);
        expect(Cte.type.get(mem(user), mapping)).toBe(ObjType.Frame_Mapping);
        Cte.rights.set(mem(user), mapping, 0);
        writePage(user, table, 5, user.base(frame) + 4096);
      },
    ],
    [
      'I25',
      'a capability that the database does not know',
      ({ user }) => Cte.type.set(mem(user), user.slot(user.newSlot()), ObjType.Kernel),
    ],
    [
      'I44',
      'an entry without a mapping',
      ({ user, table, frame }) => writePage(user, table, 9, user.base(frame)),
    ],
    [
      'I44',
      'a mapping without its entry',
      ({ user, table }) => {
        const level = levelOf(user, table);
        user.bench.paging.clearEntry(mem(user), level, user.base(table), 5);
      },
    ],
    [
      'I45',
      'an entry that leads out of the frame',
      ({ user, table }) => writePage(user, table, 5, user.bench.plan.kcb),
    ],
    [
      'I48',
      'a root that is no longer there',
      ({ user }) => user.bench.core.loadRoot(user.bench.plan.ram, 1),
    ],
    [
      'I48',
      'a dispatcher that translates through another table than it holds',
      ({ user, others }) =>
        Dcb.vspaceRoot.set(mem(user), others[0].dcb, user.base(others[1].rootTable)),
    ],
    [
      'I48',
      'a dispatcher with another frame than it holds',
      ({ user, others }) => Dcb.frameBase.set(mem(user), others[0].dcb, others[1].frame),
    ],
    [
      'I49',
      'an entry of the kernel',
      ({ user }) => {
        const root = user.base(ROOT_TABLE);
        const child = user.base(user.make(target.paging.levels[1]?.type ?? 0));
        const first = target.paging.levels[0]?.reservedFrom ?? 0;
        target.paging.writeTable(mem(user), 0, root, first, child);
      },
    ],
    [
      'I51',
      'another table than the one that was mapped',
      ({ user, table }) => {
        const other = user.base(user.make(Cte.type.get(mem(user), user.slot(table))));
        const index = target.paging.entryIndex(0, user.bench.arch.heapBase);
        target.paging.writeTable(mem(user), 0, user.base(ROOT_TABLE), index, other);
      },
    ],
    [
      'I65',
      'a run queue that is broken',
      ({ user, others }) => Dcb.next.set(mem(user), others[0].dcb, others[0].dcb),
    ],
    [
      'I65',
      'somebody queued who does not say so',
      ({ user, others }) => Dcb.isQueued.set(mem(user), others[0].dcb, 0),
    ],
    [
      'I65',
      'somebody blocked in the queue',
      ({ user, others }) => Dcb.state.set(mem(user), others[0].dcb, DcbState.Blocked),
    ],
    [
      'I65',
      'somebody who has the core without being queued',
      ({ user, others }) => Kcb.current.set(mem(user), user.bench.plan.kcb, others[1].dcb),
    ],
    [
      'I65',
      'somebody in the queue who is stopped',
      ({ user, others }) => Dcb.isStopped.set(mem(user), others[0].dcb, 1),
    ],
    [
      'I65',
      'somebody who is stopped and has the core',
      ({ user }) => {
        const { dcb } = user;
        stopRunning(user.bench.kernel, dcb);
        expect(Kcb.current.get(mem(user), user.bench.plan.kcb)).toBe(dcb);
      },
    ],
    [
      'I65',
      'somebody runnable in no queue who is not stopped',
      ({ user, others }) => {
        stopRunning(user.bench.kernel, others[0].dcb);
        Dcb.isStopped.set(mem(user), others[0].dcb, 0);
      },
    ],
    [
      'I65',
      'an idle core with work to do',
      ({ user }) => Kcb.current.set(mem(user), user.bench.plan.kcb, NO_DCB),
    ],
    [
      'I65',
      'a real-time task that is in no queue',
      ({ user, others }) => Dcb.rtQueue.set(mem(user), others[0].dcb, RtQueue.Ready),
    ],
    [
      'I67',
      'more real-time tasks than were admitted',
      ({ user, others }) => {
        Dcb.wcet.set(mem(user), others[0].dcb, 1);
        Dcb.relativeDeadline.set(mem(user), others[0].dcb, 2);
        Dcb.taskType.set(mem(user), others[0].dcb, TaskType.Hard);
      },
    ],
    [
      'I65',
      'wake-ups out of order',
      ({ user, others }) => Dcb.wakeupTime.set(mem(user), others[2].dcb, 5),
    ],
    [
      'I65',
      'a lost sleeper',
      ({ user, others }) => Dcb.wakeupNext.set(mem(user), others[1].dcb, NO_DCB),
    ],
    [
      'I65',
      'a sleeper that is runnable',
      ({ user }) => Dcb.isWaiting.set(mem(user), asPtr<'Dcb'>(user.base(OWN_DISPATCHER)), 1),
    ],
    [
      'I65',
      'a death that is to be reported, and in no list',
      ({ user, others }) => Dcb.isDeathDue.set(mem(user), others[0].dcb, 1),
    ],
    [
      'I65',
      'a living dispatcher in the list of deaths',
      ({ user, others }) => {
        Kcb.deaths.set(mem(user), user.bench.plan.kcb, others[0].dcb);
        Kcb.lastDeath.set(mem(user), user.bench.plan.kcb, others[0].dcb);
        Dcb.isDeathDue.set(mem(user), others[0].dcb, 1);
      },
    ],
    [
      'I65',
      'a list of deaths with another end',
      ({ user, others }) => Kcb.lastDeath.set(mem(user), user.bench.plan.kcb, others[0].dcb),
    ],
  ];

  test.each(breakages)('reports %s: %s', (invariant, _, spoil) => {
    const scene = build(target);
    spoil(scene);
    const problems = checkInvariants(scene.user.bench.kernel);
    expect(problems.map((problem) => problem.split(' ')[0])).toContain(invariant);
  });
});

function mem(user: User): User['bench']['mem'] {
  return user.bench.mem;
}

function levelOf(user: User, table: number): number {
  return user.bench.paging.levelOf(Cte.type.get(mem(user), user.slot(table)));
}

function writePage(user: User, table: number, index: number, frame: number): void {
  const { paging } = user.bench;
  const level = levelOf(user, table);
  paging.writePage(mem(user), level, user.base(table), index, asPaddr(frame), PageFlag.Read);
}
