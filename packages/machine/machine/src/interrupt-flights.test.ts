/** Interrupts on their way between cores. */

import { describe, expect, it } from 'vitest';
import { createCores } from '../test/cores.ts';
import { programOf } from '../test/rig.ts';
import { type Core, CoreMode } from './core.ts';
import { DistanceCost } from './costs.ts';
import { InterruptFlights } from './interrupt-flights.ts';
import { TOPOLOGIES } from './topologies.ts';

const { Interrupt, Hop } = DistanceCost;
const EIGHT_BY_FOUR = TOPOLOGIES['8x4']!;
const [LINE, OTHER_LINE] = [40, 33];

/** Cores that sleep. */
function sleepers(coreCount: number): { cores: readonly Core[]; flights: InterruptFlights } {
  const program = programOf('sleeper', (cpu) => void cpu.syscall());
  const machine = createCores({ program, coreCount, onTrap: (core) => core.idle() });
  machine.run();
  return { cores: machine.cores, flights: new InterruptFlights(EIGHT_BY_FOUR, coreCount) };
}

/** Lines that are raised on a core, taken. */
function taken(core: Core): number[] {
  const lines: number[] = [];
  for (let line = core.takeInterrupt(); line >= 0; line = core.takeInterrupt()) lines.push(line);
  return lines;
}

describe('an interrupt on its way', () => {
  it('is raised when the clock of its core is there, and not before', () => {
    const { cores, flights } = sleepers(5);
    const core = cores[4]!;
    flights.send(0, core, LINE, 1000);
    const at = 1000 + Interrupt + Hop;
    expect(flights.dueAt(core)).toBe(at);
    core.cycles = at - 1;
    flights.deliver(core);
    expect(taken(core)).toEqual([]);
    core.cycles = at;
    flights.deliver(core);
    expect(taken(core)).toEqual([LINE]);
    expect(flights.dueAt(core)).toBe(Number.POSITIVE_INFINITY);
  });

  it('may be overtaken by one that comes from nearer', () => {
    const { cores, flights } = sleepers(13);
    const core = cores[12]!;
    flights.send(0, core, LINE, 1000); // two hops
    flights.send(4, core, OTHER_LINE, 1001); // one hop
    expect(flights.dueAt(core)).toBe(1001 + Interrupt + Hop);
    core.cycles = 1001 + Interrupt + Hop;
    flights.deliver(core);
    expect(taken(core)).toEqual([OTHER_LINE]);
    expect(flights.dueAt(core)).toBe(1000 + Interrupt + 2 * Hop);
  });

  it('is raised at once on a core that does not run, and by a core on itself', () => {
    const { cores, flights } = sleepers(2);
    const [one, other] = [cores[0]!, cores[1]!];
    flights.send(1, other, LINE, 1000);
    expect(taken(other)).toEqual([LINE]);
    one.mode = CoreMode.Off;
    flights.send(1, one, LINE, 1000);
    expect(taken(one)).toEqual([LINE]);
    expect([one, other].map((core) => flights.dueAt(core))).toEqual([Infinity, Infinity]);
  });
});
