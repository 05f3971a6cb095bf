/**
 * `drive caps`: capability operations by name, on a booted machine of one core. The document's
 * operations become system calls of the first domain; what comes back is the kernel's own answer.
 */

import { bootTarget, type System, withPrograms } from '@barreleye/boot';
import { targetX86_64 } from '@barreleye/boot-x86-64';
import { alignUp, BASE_PAGE_BITS, type Errval, errPop, isAligned, isOk } from '@barreleye/core';
import { checkInvariants, KERNEL_INVARIANTS } from '@barreleye/cpu-driver';
import type { CapIdentity } from '@barreleye/libos';
import {
  CAP_TYPE_NAMES,
  CAP_TYPES,
  errName,
  errNames,
  L2_CNODE_BYTES,
  PageFlag,
  type Program,
  Rights,
} from '@barreleye/spec';
import { z } from 'zod';
import { CapsDomain, type RamLayout, type Words } from './caps-domain.ts';
import { hexOut, InputError, numeric, parseInput, pattern64 } from './input.ts';

const MIB = 2 ** 20;
/** RAM of the machine beside `ram0`: the kernel's, and the domain's own CNodes. */
const SPARE_BYTES = 16 * MIB;
const MAX_RAM_BYTES = 2048 * MIB;
const CNODES_BYTES = 256 * L2_CNODE_BYTES;

const name = z.string().min(1);
const operation = { core: numeric.optional() };
const words = pattern64.transform(
  (value): Words => [Number(value & 0xffff_ffffn), Number(value >> 32n)],
);
const typeNumber = z
  .string()
  .refine((text) => Object.hasOwn(CAP_TYPES, text), 'there is no such capability type')
  .transform((text) => (CAP_TYPE_NAMES as readonly string[]).indexOf(text));
const pageFlags = z
  .union([z.string().regex(/^[rwxc-]*$/, 'expected letters of "rwx"'), numeric])
  .transform((flags) => (typeof flags === 'number' ? flags & 0xffff : parseFlags(flags)));

const Operation = z.discriminatedUnion('op', [
  z.strictObject({
    ...operation,
    op: z.literal('retype'),
    src: name,
    type: typeNumber,
    offset: words.default([0, 0]),
    bytes: words.default([0, 0]),
    count: numeric.default(1),
    dst: z.array(name),
  }),
  z.strictObject({ ...operation, op: z.literal('copy'), src: name, dst: name }),
  z.strictObject({
    ...operation,
    op: z.literal('mint'),
    src: name,
    dst: name,
    rights: numeric.optional(),
    param1: numeric.optional(),
    param2: numeric.optional(),
  }),
  z.strictObject({ ...operation, op: z.literal('delete'), cap: name }),
  z.strictObject({ ...operation, op: z.literal('revoke'), cap: name }),
  z.strictObject({ ...operation, op: z.literal('identify'), cap: name }),
  z.strictObject({
    ...operation,
    op: z.literal('map'),
    table: name,
    slot: numeric,
    frame: name,
    offset: words.default([0, 0]),
    count: numeric.default(1),
    flags: pageFlags.default(0),
    dst: name,
  }),
  z.strictObject({ ...operation, op: z.literal('unmap'), table: name, dst: name }),
]);

const CapsCase = z.strictObject({
  cores: numeric.default(1),
  ramBytes: numeric,
  seed: numeric.default(1),
  parallel: z.boolean().optional(),
  ops: z.array(Operation),
});

type Operation = z.infer<typeof Operation>;

/** What the domain leaves behind. */
interface Outcome {
  readonly results: object[];
  readonly caps: object[];
}

/** Run a case. */
export function driveCaps(document: unknown): unknown {
  const input = parseInput(CapsCase, document);
  checkSizes(input.cores, input.ramBytes);
  for (const [i, { core = 0 }] of input.ops.entries()) {
    if (core !== 0) throw new InputError(`ops.${i}.core: there is only core 0 so far`);
  }
  const outcome: Outcome = { results: [], caps: [] };
  const system: System = boot(input.ramBytes, input.seed, {
    name: 'drive',
    create: (cpu) => ({
      enter() {
        const frame = cpu.arch.dispatcherBase;
        runAll(new CapsDomain(cpu, frame, layoutOf(system, input.ramBytes)), input.ops, outcome);
        while (cpu.poll()) cpu.spend(1000); // to the end of the turn: back to the host
      },
    }),
  });
  system.machine.run(1);
  const [failure] = system.machine.programFailures;
  if (failure !== undefined) throw new InputError(`ops: ${String(failure.error)}`);
  return {
    results: outcome.results,
    cores: [{ core: 0, caps: outcome.caps }],
    invariants: invariantsOf(system),
  };
}

function checkSizes(cores: number, ramBytes: number): void {
  if (cores !== 1) throw new InputError('cores: only 1 so far; several cores do not exist yet');
  if (ramBytes === 0 || !isAligned(ramBytes, BASE_PAGE_BITS)) {
    throw new InputError('ramBytes: expected a positive multiple of 4096');
  }
  if (ramBytes > MAX_RAM_BYTES) throw new InputError(`ramBytes: at most ${MAX_RAM_BYTES}`);
}

/** A machine whose first domain is `program`. */
function boot(ramBytes: number, seed: number, program: Program): System {
  const booted = bootTarget(withPrograms(targetX86_64, [program]), {
    ramBytes: ramBytes + SPARE_BYTES,
    seed: seed % 2 ** 32,
  });
  if (!booted.ok) throw new Error(booted.message);
  return booted.system;
}

/** `ram0` begins at a multiple of 2 MiB, behind the CNodes of the domain. */
function layoutOf({ plan }: System, ramBytes: number): RamLayout {
  const cnodes = alignUp(plan.end, 14);
  const ram = alignUp(cnodes + CNODES_BYTES, 21);
  return { cnodeOffset: cnodes - plan.end, ramOffset: ram - plan.end, ramBytes };
}

function runAll(domain: CapsDomain, ops: readonly Operation[], outcome: Outcome): void {
  for (const op of ops) outcome.results.push(runOne(domain, op));
  for (const [held, identity] of domain.held()) {
    outcome.caps.push({ name: held, ...describe(identity), remote: false });
  }
}

function runOne(domain: CapsDomain, op: Operation): object {
  switch (op.op) {
    case 'retype': {
      const { src, type, offset, bytes, count, dst } = op;
      return report(domain.retype(src, type, offset, bytes, count, dst));
    }
    case 'copy':
      return report(domain.copy(op.src, op.dst));
    case 'mint':
      return report(
        domain.mint(op.src, op.dst, op.rights ?? Rights.All, op.param1 ?? 0, op.param2 ?? 0),
      );
    case 'delete':
      return report(errPop(domain.delete(op.cap)));
    case 'revoke':
      return report(errPop(domain.revoke(op.cap)));
    case 'identify': {
      const found = domain.identify(op.cap);
      return found.ok ? { ok: true, ...describe(found.value) } : report(errPop(found.err));
    }
    case 'map': {
      const { table, slot, frame, offset, count, flags, dst } = op;
      return report(domain.map(table, slot, frame, offset, count, flags, dst));
    }
    default:
      return report(domain.unmap(op.table, op.dst));
  }
}

function report(err: Errval): object {
  return isOk(err) ? { ok: true } : { error: errName(err), stack: errNames(err) };
}

function describe({ type, base, bytes, rights, owner }: CapIdentity): object {
  return { type, base: hexOut(base), bytes: hexOut(bytes), rights, owner };
}

/** One line for each invariant that the checkers know, and what breaks it. */
function invariantsOf({ driver }: System): object[] {
  const problems = checkInvariants(driver.kernel);
  return [...new Set(KERNEL_INVARIANTS)].map((id) => {
    const found = problems.filter((problem) => problem.split(' ', 1)[0] === id);
    return found.length === 0 ? { id, ok: true } : { id, ok: false, detail: found.join('; ') };
  });
}

function parseFlags(letters: string): number {
  const flags: Readonly<Record<string, number>> = {
    r: PageFlag.Read,
    w: PageFlag.Write,
    x: PageFlag.Execute,
    c: PageFlag.NoCache,
  };
  let bits = 0;
  for (const letter of letters) bits |= flags[letter] ?? 0;
  return bits;
}
