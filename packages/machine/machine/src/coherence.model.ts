/**
 * What a directory of cache lines should charge, said as a list of who has what: each line is a set
 * of cores, and each request is the longest of all ways that there are in it.
 */

import { Access, type Topology } from '@barreleye/spec';
import { DistanceCost } from './costs.ts';

/** Words of a cache line. */
const LINE_WORDS = 16;

interface ModelLine {
  readonly has: Set<number>;
  busyUntil: number;
}

export class CoherenceModel {
  private readonly topology: Topology;
  private readonly wordsEach: number;
  private readonly lines: Map<number, ModelLine>;

  /** @param wordsEach words of RAM of each package */
  constructor(topology: Topology, wordsEach: number) {
    this.topology = topology;
    this.wordsEach = wordsEach;
    this.lines = new Map();
  }

  /** When `core` has the word, if it begins at `now`. */
  reach(core: number, index: number, access: number, now: number): number {
    const key = Math.floor(index / LINE_WORDS);
    const line = this.lines.get(key) ?? { has: new Set<number>(), busyUntil: 0 };
    this.lines.set(key, line);
    const others = [...line.has].filter((other) => other !== core);
    const isWrite = access === Access.Write;
    const isFree = line.has.has(core) && (!isWrite || others.length === 0);
    const home = Math.floor(index / this.wordsEach);
    const asked = isWrite || line.has.size === 1 ? others : [];
    const end = isFree ? now : Math.max(now, line.busyUntil) + this.price(core, home, asked);
    if (isWrite || !isFree) line.busyUntil = Math.max(line.busyUntil, end);
    if (isWrite) line.has.clear();
    line.has.add(core);
    return end;
  }

  private price(core: number, home: number, asked: readonly number[]): number {
    const { packageOf, hops } = this.topology;
    const between = (from: number, to: number): number => hops[from]?.[to] ?? 0;
    const own = packageOf[core] ?? 0;
    const ways = asked.map((other) => {
      const at = packageOf[other] ?? 0;
      return between(home, at) + between(at, own);
    });
    const answer = Math.max(between(home, own), ...ways);
    return DistanceCost.Transfer + DistanceCost.Hop * (between(own, home) + answer);
  }
}
