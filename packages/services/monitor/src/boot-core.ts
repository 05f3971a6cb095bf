/**
 * Starting another core. It gets a control block, RAM of its own, the boot modules, and a frame for
 * the link with this core, all written down in boot information like that of the first core.
 */

import { BASE_PAGE_SIZE, errPush, fail, isOk, type Result, succeed } from '@barreleye/core';
import {
  type Capref,
  capIdentify,
  KernelCap,
  type Os,
  type RamBlock,
  type RamSource,
  TASK_KERNEL,
  unwrap,
} from '@barreleye/libos';
import { createMemorySource, type Vspace } from '@barreleye/paging';
import { mustUndo, Parts } from '@barreleye/spawn';
import {
  BOOTINFO_BYTES,
  Err,
  FIRST_DOMAIN_BYTES,
  KCB_BYTES,
  type PackageRam,
  packageOfCore,
} from '@barreleye/spec';
import type { BootView } from './boot-info.ts';
import { describeCore } from './core-boot-info.ts';
import { LentRam } from './lent-ram.ts';
import { LINK_BYTES } from './link.ts';

/** What a core takes beside the RAM that is its own. */
export const CORE_OVERHEAD_BYTES = KCB_BYTES + FIRST_DOMAIN_BYTES + BOOTINFO_BYTES + LINK_BYTES;

/** What a core is started with. */
export interface CoreRequest {
  readonly core: number;
  /** RAM that is to be its own, whole pages, beside what its kernel and first domain take. */
  readonly ramBytes: number;
  /** Identifiers that it has made before, and must not use again. */
  readonly usedIds: number;
}

/** A core that has been started. */
export interface StartedCore {
  readonly core: number;
  /** For the link with its monitor. */
  readonly linkFrame: Capref<'Frame'>;
  /** RAM that it has got. */
  readonly givenBytes: number;
  /** Give it more RAM. @errors those of `RamSource.alloc` */
  giveRam(bytes: number): Result<RamBlock>;
  /** When it is off: all that it was given comes back. */
  takeBack(): void;
}

/** RAM for other cores. */
export interface CoreRam extends RamSource {
  /** `RamSource.alloc`, all of it in one part of RAM. */
  alloc(bytes: number, alignBytes: number, within?: PackageRam): Result<RamBlock>;
}

/** What `startCore` works with. */
export interface CoreStarter {
  readonly os: Os;
  readonly boot: BootView;
  /** What other cores are given comes from here. */
  readonly account: CoreRam;
  readonly vspace: Vspace;
}

/**
 * Start a core.
 * @errors INIT_ERR_CORE over the reason: no memory, or SYS_ERR_CORE_START
 * @post on failure nothing is left
 */
export function startCore(starter: CoreStarter, request: CoreRequest): Result<StartedCore> {
  const { os, account } = starter;
  const parts = new Parts(os.sys, createMemorySource(os.sys, account, os.slots));
  const made = build(starter, request, parts);
  if (made.ok) return made;
  mustUndo(parts);
  return fail(errPush(made.err, Err.INIT_ERR_CORE));
}

function build(
  { os, boot, account, vspace }: CoreStarter,
  { core, ramBytes, usedIds }: CoreRequest,
  parts: Parts,
): Result<StartedCore> {
  const kcb = parts.make('KernelControlBlock');
  if (!kcb.ok) return kcb;
  const arena = parts.make('Frame', FIRST_DOMAIN_BYTES);
  if (!arena.ok) return arena;
  const page = parts.make('Frame', BOOTINFO_BYTES);
  if (!page.ok) return page;
  const linkFrame = parts.make('Frame', LINK_BYTES);
  if (!linkFrame.ok) return linkFrame;
  const lent = new LentRam(os, boot.coreId, core);
  const giveRam = (bytes: number): Result<RamBlock> => {
    const block = allocNear(account, boot, { core, ramBytes: bytes });
    if (!block.ok) return block;
    parts.adopt(block.value);
    const err = lent.lend(block.value);
    return isOk(err) ? block : fail(err);
  };
  const ram = giveRam(ramBytes);
  if (!ram.ok) return ram;
  const baseOf = (cap: Capref): number => unwrap(capIdentify(os.sys, cap)).base;
  const info = describeCore(boot, {
    core,
    usedIds,
    kcb: baseOf(kcb.value),
    arena: baseOf(arena.value),
    linkFrame: baseOf(linkFrame.value),
    ram: ram.value,
  });
  let err = vspace.write(page.value, [[0, info]]);
  if (isOk(err)) err = new KernelCap(os.sys, TASK_KERNEL).spawnCore(core, page.value);
  if (!isOk(err)) {
    lent.takeBack();
    return fail(err);
  }
  const takeBack = (): void => {
    lent.takeBack();
    mustUndo(parts);
  };
  return succeed({
    core,
    linkFrame: linkFrame.value,
    get givenBytes() {
      return CORE_OVERHEAD_BYTES + lent.bytes;
    },
    giveRam,
    takeBack,
  });
}

/** RAM for a core: of its own package, if that is known and there is as much. */
function allocNear(
  account: CoreRam,
  { places }: BootView,
  { core, ramBytes }: Pick<CoreRequest, 'core' | 'ramBytes'>,
): Result<RamBlock> {
  const near = places?.packageRam[packageOfCore(places.topology, core)];
  if (near !== undefined) {
    const block = account.alloc(ramBytes, BASE_PAGE_SIZE, near);
    if (block.ok) return block;
  }
  return account.alloc(ramBytes, BASE_PAGE_SIZE);
}
