/**
 * What it costs that caches agree, after MESI. A directory knows for each cache line which cores
 * have it. Whoever has it reads it for nothing. Whoever has not asks the home of the line, the
 * package whose RAM it is; the home asks whoever has it, or all who have it if it is to be written;
 * and these answer. That takes the longest of these ways.
 *
 *     requester --> home --> holder --> requester
 *
 * The home serves one request after the other for the same line. So a line that many cores want
 * goes to them one by one.
 *
 * Only ordered accesses are charged (`UserCpu.loadAcquire32`, `storeRelease32`): what cores agree
 * by. The rest of a message is on the same line, and ordinary accesses stay as fast as they were.
 * Costs decide time, never values: memory has one copy of everything.
 */

import { assert, type PhysRange } from '@barreleye/core';
import { Access, type Topology } from '@barreleye/spec';
import { DistanceCost } from './costs.ts';
import { packageRam } from './package-ram.ts';

/** Words of a cache line: 64 bytes. */
const LINE_WORD_BITS = 4;

/** A line that has been accessed in order. */
interface Line {
  /** The package whose RAM it is. */
  readonly home: number;
  /** Cores that have it, one bit each; a core that is alone may have written it. */
  low: number;
  high: number;
  /** Cycle when the last request for it has been served. */
  freeAt: number;
}

export class Coherence {
  private readonly topology: Topology;
  private readonly coreCount: number;
  private readonly lines: Map<number, Line>;
  private readonly origin: number;
  /** First address behind the RAM of each package. */
  private readonly ends: readonly number[];

  /** @param origin address of the first word of memory */
  constructor(topology: Topology, coreCount: number, origin: number, ram: readonly PhysRange[]) {
    assert(coreCount <= topology.packageOf.length, 'the topology has not so many cores');
    this.topology = topology;
    this.coreCount = coreCount;
    this.lines = new Map();
    this.origin = origin;
    this.ends = packageRam(topology.hops.length, ram).map((part) => part.end);
  }

  /**
   * Core `core` reaches word `index` of memory in order, at cycle `now`.
   * @returns the cycle when it has it
   */
  reach(core: number, index: number, access: number, now: number): number {
    const line = this.lineOf(index >>> LINE_WORD_BITS);
    const low = core < 32 ? 1 << core : 0;
    const high = core < 32 ? 0 : 1 << (core - 32);
    const isWrite = access === Access.Write;
    const has = (line.low & low) !== 0 || (line.high & high) !== 0;
    if (has && (!isWrite || (line.low === low && line.high === high))) {
      // Who has run ahead must not be seen earlier than he writes.
      if (isWrite) line.freeAt = Math.max(line.freeAt, now);
      return now;
    }
    const end = Math.max(now, line.freeAt) + this.cost(core, line, isWrite);
    line.low = isWrite ? low : line.low | low;
    line.high = isWrite ? high : line.high | high;
    line.freeAt = end;
    return end;
  }

  /** Cycles of one request: the longest way there is in it. */
  private cost(core: number, line: Line, isWrite: boolean): number {
    const { packageOf, hops } = this.topology;
    const own = packageOf[core]!;
    const fromHome = hops[line.home]!;
    let answer = fromHome[own]!; // what nobody has, or many, comes from the home itself
    if (isWrite || isOne(line)) {
      for (let other = 0; other < this.coreCount; other++) {
        if (other === core || !hasLine(line, other)) continue;
        const at = packageOf[other]!;
        answer = Math.max(answer, fromHome[at]! + hops[at]![own]!);
      }
    }
    return DistanceCost.Transfer + DistanceCost.Hop * (hops[own]![line.home]! + answer);
  }

  private lineOf(number: number): Line {
    const known = this.lines.get(number);
    if (known !== undefined) return known;
    const at = this.origin + number * (4 << LINE_WORD_BITS);
    const home = this.ends.findIndex((end) => at < end);
    const line = { home, low: 0, high: 0, freeAt: 0 };
    this.lines.set(number, line);
    return line;
  }
}

function hasLine({ low, high }: Line, core: number): boolean {
  return ((core < 32 ? low >>> core : high >>> (core - 32)) & 1) !== 0;
}

/** Whether exactly one core has the line. */
function isOne({ low, high }: Line): boolean {
  return (low === 0) !== (high === 0) && (low & (low - 1)) === 0 && (high & (high - 1)) === 0;
}
