/** Virtual time on a machine with a topology: what goes farther takes longer. */

import { coreId } from '@barreleye/core';
import { type Topology, TrapKind, type UserCpu } from '@barreleye/spec';
import { describe, expect, it } from 'vitest';
import { CoreMode } from '../src/core.ts';
import { DistanceCost } from '../src/costs.ts';
import { IrqLine } from '../src/hal.ts';
import { TOPOLOGIES } from '../src/topologies.ts';
import { createCores, SHARED_VA } from './cores.ts';
import { DISPATCHER_VA, programOf } from './rig.ts';

const EIGHT_BY_FOUR = TOPOLOGIES['8x4']!;
/** Cores that are as far from core 0 as the names say. */
const SAME_PACKAGE = 1;
const ONE_HOP = 4;
const TWO_HOPS = 12;
const ROUND_TRIPS = 50;

interface Outcome {
  /** Cycles of a round trip. */
  readonly roundTrip: number;
  /** When each number was stored, and the next one by the other core, by their own clocks. */
  readonly times: readonly number[];
  /** The clocks of both cores at the end. */
  readonly clocks: readonly (number | undefined)[];
}

/** Core 0 and `peer` count together, each in a cache line of its own; the others sleep. */
function pingPong(peer: number, topology?: Topology): Outcome {
  const sent = new Map<number, number>();
  const times: number[] = [];
  let took = 0;
  const program = programOf('ping-pong', (cpu) => {
    const core = cpu.load32(DISPATCHER_VA);
    if (core === 0 || core === peer) {
      const own = SHARED_VA + (core === 0 ? 0 : 64);
      const other = SHARED_VA + (core === 0 ? 64 : 0);
      do {
        const n = sent.get(core) ?? 0;
        if (cpu.loadAcquire32(other) < (core === 0 ? n : n + 1)) continue;
        sent.set(core, n + 1);
        cpu.storeRelease32(own, n + 1);
        times.push(cpu.now());
        if (n === ROUND_TRIPS) took = cpu.now();
      } while ((sent.get(core) ?? 0) <= ROUND_TRIPS && cpu.poll());
      if (!cpu.isLive()) return;
    }
    cpu.syscall();
  });
  const machine = createCores({
    program,
    coreCount: peer + 1,
    onTrap: (core) => core.idle(),
    ...(topology !== undefined && { topology }),
  });
  machine.run();
  expect([...sent.values()]).toEqual([ROUND_TRIPS + 1, ROUND_TRIPS + 1]);
  const clocks = [machine.cores[0]?.cycles, machine.cores[peer]?.cycles];
  return { roundTrip: took / ROUND_TRIPS, times, clocks };
}

describe('a message between cores', () => {
  it('takes longer to another package, and longer still over two hops', () => {
    const [shared, oneHop, twoHops] = [SAME_PACKAGE, ONE_HOP, TWO_HOPS].map(
      (peer) => pingPong(peer, EIGHT_BY_FOUR).roundTrip,
    );
    expect(shared).toBeGreaterThan(4 * DistanceCost.Transfer);
    expect(oneHop).toBeGreaterThan(shared ?? 0);
    expect(twoHops).toBeGreaterThan(oneHop ?? 0);
    // The reference machine: at most a quarter longer.
    expect(twoHops).toBeLessThan(1.25 * (shared ?? 0));
  });

  it('takes the same wherever the other core is, where all are equally far', () => {
    const { flat } = TOPOLOGIES;
    expect(pingPong(TWO_HOPS, flat).roundTrip).toBe(pingPong(SAME_PACKAGE, flat).roundTrip);
  });

  it('is never there before it was sent', () => {
    for (const topology of Object.values(TOPOLOGIES)) {
      const { times } = pingPong(TWO_HOPS, topology);
      expect(times).toHaveLength(2 * ROUND_TRIPS + 2);
      // Each store takes a transfer, and the load before it another.
      const gaps = times.slice(1).map((time, i) => time - (times[i] ?? 0));
      expect(Math.min(...gaps)).toBeGreaterThan(2 * DistanceCost.Transfer);
    }
  });

  it('takes the same in each run', () => {
    expect(pingPong(ONE_HOP, EIGHT_BY_FOUR)).toEqual(pingPong(ONE_HOP, EIGHT_BY_FOUR));
  });
});

/** When core `target` hears of an interrupt that core 0 raises at cycle 10,000 or so. */
function notify(target: number, isAsleep: boolean, topology?: Topology): [number, number] {
  let raisedAt = 0;
  let heardAt = 0;
  const spin = (cpu: UserCpu): void => {
    do cpu.spend(10);
    while (cpu.poll());
  };
  const program = programOf('listener', (cpu) => {
    const isTarget = cpu.load32(DISPATCHER_VA) === target;
    if (isTarget && !isAsleep) spin(cpu);
    else cpu.syscall();
  });
  const machine = createCores({
    program,
    coreCount: target + 1,
    ...(topology !== undefined && { topology }),
    onTrap: (core, kind) => {
      if (kind === TrapKind.Syscall) {
        if (core.coreId === 0) core.setTimer(10_000);
        core.idle();
      } else if (core.takeInterrupt() === IrqLine.Timer) {
        raisedAt = core.now();
        core.raiseOn(coreId(target), IrqLine.FirstNotify);
        core.idle();
      } else {
        heardAt = core.now();
        core.halt();
      }
    },
  });
  machine.run();
  expect(machine.cores[target]?.mode).toBe(CoreMode.Off);
  return [raisedAt, heardAt];
}

describe('an interrupt of another core', () => {
  const { Interrupt, Hop } = DistanceCost;

  it.each([
    [SAME_PACKAGE, 0],
    [ONE_HOP, 1],
    [TWO_HOPS, 2],
  ])('wakes core %d after it has come %d hops', (target, hops) => {
    const [raisedAt, heardAt] = notify(target, true, EIGHT_BY_FOUR);
    expect(heardAt - raisedAt).toBe(Interrupt + hops * Hop + 100); // and a trap
  });

  it.each([SAME_PACKAGE, ONE_HOP, TWO_HOPS])('is heard on core %d, busy, not earlier', (target) => {
    const [raisedAt, heardAt] = notify(target, false, EIGHT_BY_FOUR);
    expect(heardAt - raisedAt).toBeGreaterThanOrEqual(Interrupt);
    expect(heardAt - raisedAt).toBeLessThan(Interrupt + 2 * DistanceCost.Transfer);
  });

  it('comes at once where no distances are known', () => {
    const [raisedAt, heardAt] = notify(ONE_HOP, true);
    expect(heardAt - raisedAt).toBe(100);
  });
});
