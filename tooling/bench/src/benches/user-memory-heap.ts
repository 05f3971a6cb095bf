/**
 * What a domain's use of memory and messages costs the JavaScript heap, which should be nothing:
 * loads and stores through the TLB, a page mapped and unmapped with the two system calls that it
 * takes, a message sent and received. Beside it, a loop that makes one small object each.
 */
import type { System } from '@barreleye/boot';
import { targetX86_64 } from '@barreleye/boot-x86-64';
import { assert, isOk } from '@barreleye/core';
import { createMemory, readBootInfo } from '@barreleye/init';
import {
  type Capref,
  capRetype,
  type Os,
  placeOf,
  program,
  TASK_ROOT_CN,
  unwrap,
  type Wait,
} from '@barreleye/libos';
import { channelPair } from '@barreleye/lmp';
import { SendResult } from '@barreleye/rpc';
import { CNodeCmd, PageFlag, VNodeCmd } from '@barreleye/spec';
import type { Bench, Trial } from '../bench.ts';
import { bootPrograms } from '../boot-programs.ts';
import { allocating } from '../sides.ts';

const OPERATIONS = 1e6;
const CALLS = 1000;
/** Longer than the host lets a core run in one go. */
const TURN_CYCLES = 10_000;
const PAGE = 4096;
const RW = PageFlag.Read | PageFlag.Write;

/** Something that a domain does `CALLS` times. */
type Work = (os: Os) => void;
/** What has to be there first. */
type Prepare = (os: Os, argPage: number) => Work;

export const benches: readonly Bench[] = [
  bench('heap churn of load+store', loadAndStore),
  bench('heap churn of map+unmap', mapAndUnmap),
  bench('heap churn of a message', sendAndReceive),
];

function bench(name: string, prepare: Prepare): Bench {
  const unit = 'B/op';
  return { name, unit, baselineName: 'an object each', setup: () => setup(prepare) };
}

function setup(prepare: Prepare): Trial {
  const state = { isWanted: false };
  const system = boot(function* (os, argPage) {
    const work = prepare(os, argPage);
    for (;;) {
      if (state.isWanted) work(os);
      state.isWanted = false;
      yield* os.sleep(TURN_CYCLES);
    }
  });
  const last: { object: object } = { object: {} };
  const times = OPERATIONS / CALLS;
  return {
    operations: CALLS,
    rounds: 3,
    subject: allocating({
      call: () => {
        state.isWanted = true;
        while (state.isWanted) system.machine.run(1);
        const [failure] = system.machine.programFailures;
        if (failure !== undefined) throw failure.error;
      },
      operations: CALLS,
      times,
    }),
    baseline: allocating({
      call: () => {
        for (let i = 0; i < CALLS; i++) last.object = { i };
      },
      operations: CALLS,
      times,
    }),
  };
}

function boot(main: (os: Os, argPage: number) => Wait<unknown>): System {
  const user = program('user', main);
  return bootPrograms([user]);
}

/** A page of memory, and the page table that shows it. */
function makePage(os: Os, argPage: number): { va: number; frame: Capref<'Frame'>; vspace: Vspace } {
  const { mm, vspace } = createMemory(os, readBootInfo(os.sys.cpu, argPage), targetX86_64.paging);
  const ram = unwrap(mm.alloc(PAGE));
  const range = { offset: 0, objectBytes: PAGE, count: 1 };
  const frame = unwrap(capRetype(os.sys, os.allocSlot(), ram.cap, 'Frame', range));
  const va = unwrap(vspace.map({ frame, bytes: PAGE, flags: RW })).base;
  return { va, frame, vspace };
}

type Vspace = ReturnType<typeof createMemory>['vspace'];

function loadAndStore(os: Os, argPage: number): Work {
  const { va } = makePage(os, argPage);
  return ({ sys }) => {
    for (let i = 0; i < CALLS; i++) {
      const word = sys.cpu.load32(va + (i & 1023) * 4);
      assert(word >= 0 && sys.cpu.store32(va + 8, word + 1), 'the page is mapped');
    }
  };
}

function mapAndUnmap(os: Os, argPage: number): Work {
  const { va, frame, vspace } = makePage(os, argPage);
  const leaf = vspace.path(va).at(-1);
  assert(leaf !== undefined, 'the page has a table');
  const slot = os.allocSlot();
  const place = placeOf(slot);
  const entry = leaf.index + 8;
  return ({ sys }) => {
    for (let i = 0; i < CALLS; i++) {
      sys.begin(leaf.table, VNodeCmd.Map);
      sys.arg(entry + 0x1_0000);
      sys.arg(frame.croot);
      sys.arg(frame.cptr);
      sys.arg(RW + frame.level * 0x1_0000);
      sys.arg64(0);
      sys.arg(slot.croot);
      sys.arg(place.cnode);
      sys.arg(place.slot + place.cnodeLevel * 0x100_0000);
      assert(isOk(sys.call()), 'the page can be mapped');
      sys.begin(TASK_ROOT_CN, CNodeCmd.Delete);
      sys.arg(slot.cptr);
      sys.arg(slot.level);
      assert(isOk(sys.call()), 'the mapping can be deleted');
    }
  };
}

function sendAndReceive(os: Os): Work {
  const [here, there] = channelPair(os);
  const words = new Uint32Array(here.maxWords).fill(7);
  return () => {
    for (let i = 0; i < CALLS; i++) {
      const sent = here.trySend(words, words.length, undefined, true);
      assert(sent === SendResult.Sent, 'the ring has room');
      assert(there.tryReceive(words) === words.length, 'a message has come');
    }
  };
}
