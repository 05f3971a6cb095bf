/**
 * The end of a page that cores share, in a whole system: a domain that spans unmaps it, and the
 * monitors of all its cores have their translations forgotten. In cycles of virtual time.
 */
import type { System } from '@barreleye/boot';
import { targetX86_64 } from '@barreleye/boot-x86-64';
import { createInit } from '@barreleye/init';
import type { Wait } from '@barreleye/libos';
import type { PlanKind } from '@barreleye/multicast';
import { nameservice } from '@barreleye/nameservice';
import { type AppProgram, type FarFunctions, type ProgramOs, program } from '@barreleye/program';
import { PageFlag, type Topology } from '@barreleye/spec';
import { terminal } from '@barreleye/terminal';
import { bootPrograms } from './boot-programs.ts';

const PAGE_BYTES = 4096;
const RAM_BYTES = 512 * 2 ** 20;
/** Unmaps before those that count. */
const WARM_UP = 2;
const ROUNDS = 4;
const READ_WRITE = PageFlag.Read | PageFlag.Write;

/** What cores have to do with the page: they read it, so that there is something to forget. */
const far: FarFunctions = {
  *read(os, [at = 0]) {
    return yield* os.load32(at);
  },
};

export interface SpanningUnmap {
  readonly topology: Topology;
  /** Cores that the domain is on: the first ones. */
  readonly coreCount: number;
}

/** What an unmap takes on average, by kind of plan. */
export function measureUnmaps(
  unmap: SpanningUnmap,
  kinds: readonly PlanKind[],
): ReadonlyMap<PlanKind, number> {
  const { coreCount } = unmap;
  const took = new Map<PlanKind, number>();
  let isDone = false;
  let failure: { readonly error: unknown } | undefined;
  const spanner = program(
    'shell',
    function* (os) {
      if (isDone) return;
      try {
        for (let core = 1; core < coreCount; core++) yield* os.spanning.open(core);
        for (const kind of kinds) took.set(kind, yield* unmapBy(os, kind));
      } catch (error) {
        failure = { error };
      }
      isDone = true;
      for (;;) yield* os.sleep(1e9);
    },
    { far },
  );
  const system = boot(spanner, unmap);
  while (!isDone) system.machine.run(1e6);
  if (failure !== undefined) throw failure.error;
  return took;
}

/** Unmap a page a few times; cycles on average. */
function* unmapBy(os: ProgramOs, kind: PlanKind): Wait<number> {
  const { spanning, memory } = os;
  spanning.shootDownKind = kind;
  let cycles = 0;
  for (let round = 0; round < WARM_UP + ROUNDS; round++) {
    const request = { bytes: PAGE_BYTES, flags: READ_WRITE };
    const { base } = yield* os.take(memory.vspace.reserve(request));
    yield* os.store32(base, round);
    for (const core of spanning.cores()) {
      yield* spanning.join(yield* spanning.start(core, 'read', [base]));
    }
    yield* os.sleep(100_000); // until everybody sleeps
    const start = os.now();
    yield* spanning.unmap(base);
    if (round >= WARM_UP) cycles += os.now() - start;
  }
  return cycles / ROUNDS;
}

/** A system with `spanner` in the place of the shell. */
function boot(spanner: AppProgram, { topology, coreCount }: SpanningUnmap): System {
  const { paging } = targetX86_64;
  const linked = [nameservice, terminal, spanner].map((each) => each.link({ paging }));
  return bootPrograms([createInit({ paging }), ...linked], RAM_BYTES, { topology, coreCount });
}
