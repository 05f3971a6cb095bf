/**
 * Interrupts on their way from core to core. A core that sleeps is woken when they arrive; a core
 * that runs must not hear of them earlier.
 */

import { coreHops, type Topology } from '@barreleye/spec';
import { type Core, CoreMode } from './core.ts';
import { DistanceCost } from './costs.ts';

interface Flight {
  readonly line: number;
  /** Cycle of its arrival. */
  readonly at: number;
}

export class InterruptFlights {
  private readonly topology: Topology;
  /** By core, the earliest first. */
  private readonly flights: Flight[][];

  constructor(topology: Topology, coreCount: number) {
    this.topology = topology;
    this.flights = Array.from({ length: coreCount }, () => []);
  }

  /** Core `from` raises `line` of core `target` at cycle `now`. */
  send(from: number, target: Core, line: number, now: number): void {
    const { mode, coreId } = target;
    const isAway = coreId !== from && (mode === CoreMode.User || mode === CoreMode.Idle);
    if (!isAway) {
      target.raise(line);
      return;
    }
    const at =
      now + DistanceCost.Interrupt + DistanceCost.Hop * coreHops(this.topology, from, coreId);
    const flights = this.flights[coreId] ?? [];
    flights.push({ line, at });
    flights.sort((a, b) => a.at - b.at);
  }

  /** When the next one arrives at `core`; infinite if none is on its way. */
  dueAt(core: Core): number {
    return this.flights[core.coreId]?.[0]?.at ?? Number.POSITIVE_INFINITY;
  }

  /** `core` is off: what is on its way arrives nowhere. */
  forget(core: Core): void {
    this.flights[core.coreId]?.splice(0);
  }

  /** Raise what has arrived at `core`. */
  deliver(core: Core): void {
    const flights = this.flights[core.coreId] ?? [];
    while (flights[0] !== undefined && flights[0].at <= core.cycles) {
      core.raise(flights[0].line);
      flights.shift();
    }
  }
}
