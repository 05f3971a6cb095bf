/** Kernel commands: their words, their errors, and what does not compile. */

import { capAddr, errPush, fail, OK } from '@barreleye/core';
import {
  archArmv7,
  archX86_64,
  CPTR_ROOTCN,
  Err,
  errNames,
  invokeHeader,
  KernelCmd,
  ObjType,
} from '@barreleye/spec';
import { describe, expect, it } from 'vitest';
import { Recorder } from '../test/recorder.ts';
import { type Capref, capref, type Slot } from './capref.ts';
import type { CapIdentity } from './caps.ts';
import { KernelCap } from './kernel-cap.ts';
import { TASK_KERNEL } from './well-known.ts';

const SLOT: Slot = capref(8, 20);
const PLACE = [0x800, 20 | (1 << 24)];
const FRAME: Capref<'Frame'> = capref(8, 9);
const OWN = [FRAME.cptr, 2];
const ANY = [CPTR_ROOTCN, FRAME.cptr, 2];
const range = { offset: 0x1_0000_1000, objectBytes: 0x2000, count: 3 };

const identity: CapIdentity & { readonly type: 'Frame' } = {
  type: 'Frame',
  rights: 3,
  iftype: 0xfedc,
  base: 0x1_0000_5000,
  bytes: 0x2_0000_2000,
  owner: 7,
  arg0: 8,
  arg1: 9,
};
const head = (ObjType.Frame + 3 * 0x100 + 0xfedc * 0x1_0000) >>> 0;
const DESCRIBED = [head, 0x5000, 1, 0x2000, 2, 7, 8, 9];

/** Every operation: what it is called with, and the words that the kernel gets. */
const OPERATIONS: readonly [keyof KernelCap, (k: KernelCap) => unknown, number, number[]][] = [
  ['coreId', (k) => k.coreId(), KernelCmd.GetCoreId, []],
  ['arch', (k) => k.arch(), KernelCmd.GetArchId, []],
  ['counter', (k) => k.counter(2), KernelCmd.Counters, [2]],
  ['spawnCore', (k) => k.spawnCore(3, FRAME), KernelCmd.SpawnCore, [3, ...OWN]],
  ['stopCore', (k) => k.stopCore(), KernelCmd.StopCore, []],
  ['isCoreOff', (k) => k.isCoreOff(3), KernelCmd.IsCoreOff, [3]],
  ['replaceDriver', (k) => k.replaceDriver(), KernelCmd.ReplaceDriver, []],
  ['invalidate', (k) => k.invalidate(0x1000, 3), KernelCmd.Invalidate, [0x1000, 0, 3]],
  ['invalidateAll', (k) => k.invalidateAll(), KernelCmd.Invalidate, [0, 0, 0]],
  ['scheduler', (k) => k.scheduler(), KernelCmd.GetScheduler, []],
  ['identify', (k) => k.identify(FRAME), KernelCmd.IdentifyDomainsCap, ANY],
  ['relations', (k) => k.relations(FRAME), KernelCmd.RemoteRelations, [...ANY, 0]],
  [
    'setRelations',
    (k) => k.setRelations(FRAME, 5, 7),
    KernelCmd.RemoteRelations,
    [...ANY, 5 | (7 << 8)],
  ],
  ['localRelations', (k) => k.localRelations(FRAME, 7), KernelCmd.CapHasRelations, [...OWN, 7]],
  ['create', (k) => k.create(SLOT, identity), KernelCmd.CreateCap, [...DESCRIBED, ...PLACE]],
  [
    'copyExisting',
    (k) => k.copyExisting(SLOT, identity),
    KernelCmd.CopyExisting,
    [...DESCRIBED, ...PLACE],
  ],
  ['nullify', (k) => k.nullify(FRAME), KernelCmd.NullifyCap, OWN],
  ['register', (k) => k.register(capref(8, 9)), KernelCmd.Register, OWN],
  ['setDomainId', (k) => k.setDomainId(capref(8, 9), 6), KernelCmd.DomainId, [...OWN, 6]],
  ['owner', (k) => k.owner(FRAME), KernelCmd.GetCapOwner, ANY],
  ['setOwner', (k) => k.setOwner(FRAME, 4), KernelCmd.SetCapOwner, [...ANY, 4]],
  ['lock', (k) => k.lock(FRAME), KernelCmd.LockCap, ANY],
  ['unlock', (k) => k.unlock(FRAME), KernelCmd.UnlockCap, ANY],
  ['deleteLast', (k) => k.deleteLast(FRAME), KernelCmd.DeleteLast, ANY],
  ['deleteForeigns', (k) => k.deleteForeigns(FRAME), KernelCmd.DeleteForeigns, OWN],
  ['markTarget', (k) => k.markTarget(FRAME), KernelCmd.RevokeMarkTarget, ANY],
  ['markRelations', (k) => k.markRelations(identity), KernelCmd.RevokeMarkRelations, DESCRIBED],
  ['deleteStep', (k) => k.deleteStep(SLOT), KernelCmd.DeleteStep, PLACE],
  ['clearStep', (k) => k.clearStep(), KernelCmd.ClearStep, []],
  [
    'retype',
    (k) => k.retype(SLOT, FRAME, 'Frame', range),
    KernelCmd.Retype,
    [...ANY.slice(0, 2), 0x1000, 1, ObjType.Frame | (3 << 16), 0x2000, 0, CPTR_ROOTCN, ...PLACE],
  ],
  ['hasDescendants', (k) => k.hasDescendants(identity), KernelCmd.HasDescendants, DESCRIBED],
  [
    'checkRetypeable',
    (k) => k.checkRetypeable(identity, range),
    KernelCmd.IsRetypeable,
    [...DESCRIBED, 0x1000, 1, 0x2000, 0, 3],
  ],
  ['reclaimRam', (k) => k.reclaimRam(SLOT), KernelCmd.ReclaimRam, PLACE],
];

describe.each([archX86_64, archArmv7])('the words of a Kernel command on $name', (arch) => {
  it.each(OPERATIONS)('%s', (_, operate, command, words) => {
    const kernel = new Recorder(arch);
    operate(new KernelCap(kernel.sys, TASK_KERNEL));
    const header = invokeHeader(command, 2);
    expect(kernel.words(words.length)).toEqual([header, TASK_KERNEL.cptr, ...words]);
  });
});

it('covers every operation that there is', () => {
  const names = Object.getOwnPropertyNames(KernelCap.prototype);
  const helpers = ['constructor', 'begin', 'own', 'any', 'described', 'place', 'into', 'put'];
  const operations = names.filter((name) => ![...helpers, 'answer', 'done'].includes(name));
  expect(OPERATIONS.map(([name]) => name).sort()).toEqual(operations.sort());
});

describe('answers', () => {
  it('are numbers, names and yes or no', () => {
    const kernel = new KernelCap(new Recorder(archX86_64, OK, 1).sys, TASK_KERNEL);
    expect(kernel.counter(0)).toEqual({ ok: true, value: 1 });
    expect(kernel.arch()).toEqual({ ok: true, value: 'x86_32' });
    expect(kernel.hasDescendants(identity)).toEqual({ ok: true, value: true });
    expect(kernel.deleteStep(SLOT)).toEqual({ ok: true, value: true });
    expect(kernel.reclaimRam(SLOT)).toEqual({ ok: true, value: SLOT });
  });

  it('are errors with the reason of the kernel below that of the library', () => {
    const why = errPush(Err.SYS_ERR_CAP_NOT_FOUND, Err.SYS_ERR_SOURCE_CAP_LOOKUP);
    const kernel = new KernelCap(new Recorder(archX86_64, why).sys, TASK_KERNEL);
    const names = ['LIB_ERR_KERNEL_CAP', ...errNames(why)];
    for (const result of [
      kernel.counter(0),
      kernel.arch(),
      kernel.identify(FRAME),
      kernel.create(SLOT, identity),
      fail(kernel.lock(FRAME)),
      kernel.deleteStep(SLOT),
    ]) {
      expect(result.ok ? [] : errNames(result.err)).toEqual(names);
    }
  });
});

it('reaches into other domains only where a command says whose space it means', () => {
  const { sys } = new Recorder();
  const kernel = new KernelCap(sys, TASK_KERNEL);
  const foreign: Capref<'Frame'> = { ...FRAME, croot: capAddr(0x900) };
  expect(kernel.lock(foreign)).toBe(OK);
  expect(() => kernel.nullify(foreign)).toThrow('our own CSpace');
});

it('what the capability table does not allow does not compile', () => {
  const { sys } = new Recorder();
  // @ts-expect-error: another capability is no authority for this
  const wrong = new KernelCap(sys, FRAME);
  const kernel = new KernelCap(sys, TASK_KERNEL);
  // @ts-expect-error: a Frame cannot become RAM again
  kernel.retype(SLOT, FRAME, 'RAM', range);
  // @ts-expect-error: deaths are reported to endpoints
  kernel.register(FRAME);
  // @ts-expect-error: domains have dispatchers
  kernel.setDomainId(FRAME, 1);
  // @ts-expect-error: RAM is collected into an empty slot
  kernel.reclaimRam(FRAME);
  const made = kernel.create(SLOT, identity);
  // @ts-expect-error: a Frame was described
  const ram: Capref<'RAM'> | undefined = made.ok ? made.value : undefined;
  expect([wrong, ram?.level]).toHaveLength(2);
});
