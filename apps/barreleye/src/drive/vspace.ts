/**
 * `drive vspace`: the address-space library on a booted machine. The operations of the document are
 * run by a first domain that owns all memory; page tables are read back from the machine's RAM, so
 * root and memory of the answer are a case for any other MMU.
 */

import { bootTarget, type System, type Target, withPrograms } from '@barreleye/boot';
import { asPaddr, BASE_PAGE_SIZE, type Paddr, type PhysMem } from '@barreleye/core';
import { createMemory, readBootInfo } from '@barreleye/init';
import { program, unwrap } from '@barreleye/libos';
import type { Paging } from '@barreleye/spec';
import { z } from 'zod';
import { findTarget } from '../targets.ts';
import { hexOut, InputError, numeric, parseInput } from './input.ts';
import { type MappedRange, type Operation, VspaceDomain } from './vspace-domain.ts';

const MIB = 2 ** 20;
/** RAM of the machine beside what the case asks for: the kernel's and the first domain's. */
const SPARE_BYTES = 4 * MIB;
const MAX_RAM_BYTES = 1024 * MIB;

const name = z.string().min(1);
const flags = z.string().regex(/^[rwx-]*$/, 'expected letters of "rwx"');

const OperationForm = z.discriminatedUnion('op', [
  z.strictObject({
    op: z.literal('map'),
    name,
    bytes: numeric,
    va: numeric.optional(),
    flags,
    pageBytes: numeric.optional(),
    lazy: z.boolean().optional(),
  }),
  z.strictObject({ op: z.literal('unmap'), name }),
  z.strictObject({ op: z.literal('protect'), name, flags }),
  z.strictObject({ op: z.literal('touch'), va: numeric, access: z.enum(['r', 'w', 'x']) }),
  z.strictObject({ op: z.literal('deleteFrame'), name }),
]);

const VspaceCase = z.strictObject({
  arch: z.enum(['x86_64', 'x86_32', 'x86_32_pae', 'armv7']),
  ramBytes: numeric,
  ops: z.array(OperationForm),
});

/** What the domain leaves behind. */
interface Outcome {
  readonly results: object[];
  readonly mapped: MappedRange[];
  freeBytes: number;
}

/** Run a case. */
export function driveVspace(document: unknown): unknown {
  const input = parseInput(VspaceCase, document);
  const target = targetOf(input.arch);
  const outcome: Outcome = { results: [], mapped: [], freeBytes: 0 };
  const system = boot(target, input.ramBytes, input.ops, outcome);
  system.machine.run();
  const [failure] = system.machine.programFailures;
  if (failure !== undefined) throw new InputError(`ops: ${String(failure.error)}`);
  const { root } = system.machine.bsp.mmu;
  return {
    results: outcome.results,
    root: hexOut(root),
    memory: tablesBelow(system.machine.mem, target.paging, root),
    mapped: outcome.mapped,
    free: outcome.freeBytes,
  };
}

function targetOf(arch: z.infer<typeof VspaceCase>['arch']): Target {
  const { target, withoutPae } = findTarget(arch === 'x86_32_pae' ? 'x86_32' : arch);
  return arch === 'x86_32' && withoutPae !== undefined ? withoutPae : target;
}

/** A machine whose first domain runs the operations. */
function boot(
  target: Target,
  ramBytes: number,
  ops: readonly Operation[],
  outcome: Outcome,
): System {
  if (ramBytes === 0 || ramBytes % BASE_PAGE_SIZE !== 0) {
    throw new InputError('ramBytes: expected a positive multiple of 4096');
  }
  if (ramBytes > MAX_RAM_BYTES) throw new InputError(`ramBytes: at most ${MAX_RAM_BYTES}`);
  const { board, paging } = target;
  const driver = program('drive', function* (os, argPage) {
    const memory = createMemory(os, readBootInfo(os.sys.cpu, argPage), paging);
    const { mm } = memory;
    unwrap(mm.alloc(mm.freeBytes() - ramBytes)); // the board has more than the case
    const core = system.machine.bsp;
    const canExecute = (va: number, access: number): boolean => core.mmu.translate(va, access) >= 0;
    const domain = new VspaceDomain(os, memory, canExecute);
    for (const op of ops) outcome.results.push(yield* domain.run(op));
    outcome.mapped.push(...domain.mapped());
    outcome.freeBytes = mm.freeBytes();
  });
  const booted = bootTarget(withPrograms(target, [driver]), {
    ramBytes: Math.max(ramBytes + SPARE_BYTES, board.minRamBytes),
  });
  if (!booted.ok) throw new InputError(`ramBytes: ${booted.message}`);
  const { system } = booted;
  return system;
}

/** Every page table that can be reached from `root`, as items of a mmu-oracle case. */
function tablesBelow(mem: PhysMem, paging: Paging, root: Paddr): object[] {
  const items: object[] = [];
  const collect = (table: Paddr, level: number): void => {
    const { tableBytes = 0, entryCount = 0 } = paging.levels[level] ?? {};
    const hex = Buffer.from(mem.read(table, tableBytes)).toString('hex');
    items.push({ base: hexOut(table), hex });
    for (let i = 0; i < entryCount; i++) {
      const entry = paging.readEntry(mem, level, table, i);
      if (entry.kind === 'table') collect(asPaddr(entry.base), level + 1);
    }
  };
  collect(root, 0);
  return items;
}
