/** Has a history happen in a booted system, and throws what is wrong then. */

import type { Capref } from '@barreleye/libos';
import { OsError, type Wait } from '@barreleye/libos';
import type { ProgramOs } from '@barreleye/program';
import type { Client } from '@barreleye/rpc';
import { type Event, fullHouse, type History, MAX_LIVING, type Temper } from './history.ts';
import { Probe } from './probe.ts';
import { Steer } from './talk.ts';

const QUOTA_BYTES = 3 * 2 ** 20;
/** Cycles between two looks whether everything has come back, and how many there are. */
const PAUSE_CYCLES = 1_000_000;
const MAX_LOOKS = 2000;
/** Looks that must see the same before something counts as at rest. */
const CALM_LOOKS = 5;
/** What init may keep of the memory and slots that it has needed once. */
const SLACK = { freeBytes: 128 * 1024, slotsTaken: 64 } as const;

type Inventory = Record<string, unknown>;

interface Member {
  readonly id: number;
  readonly core: number;
  readonly temper: Temper;
  readonly domain: Capref<'Domain'>;
  readonly steer: Client<typeof Steer.methods>;
  isSuspended: boolean;
}

/** How much was said and heard. */
export interface Score {
  saidCount: number;
  heardCount: number;
}

export class Conductor {
  private readonly os: ProgramOs;
  private readonly coreCount: number;
  private readonly probes: Client<typeof Probe.methods>[];
  private readonly score: Score;
  private before: Inventory[];
  private lastId: number;

  constructor(os: ProgramOs, coreCount: number) {
    this.os = os;
    this.coreCount = coreCount;
    this.probes = [];
    this.score = { saidCount: 0, heardCount: 0 };
    this.before = [];
    this.lastId = 0;
  }

  /** Have all histories happen, one after the other. Throws what is wrong. */
  *play(list: readonly History[]): Wait<Score> {
    yield* this.prepare();
    for (const history of list) {
      yield* new Performance(this.os, this.score, this.lastId).play(history);
      this.lastId += history.events.length;
      yield* this.expectNothingLeft();
    }
    return this.score;
  }

  /** Start the probes, and have everything needed once that is needed later. */
  private *prepare(): Wait<void> {
    const { os, coreCount, probes } = this;
    yield* os.system.awaitCores({});
    for (let core = 0; core < coreCount; core++) {
      const wish = { core, program: 'probe', args: [], environment: [], caps: [] };
      const { domain } = yield* os.system.spawn({ ...wish, quotaBytes: QUOTA_BYTES });
      os.drop(domain);
      probes.push(yield* os.names.connect(`probe/${core}`, Probe, true));
    }
    for (let seed = 0; seed < 2; seed++) {
      yield* new Performance(os, this.score, this.lastId).play(fullHouse(coreCount, seed));
      this.lastId += MAX_LIVING;
    }
    yield* os.sleep(5 * PAUSE_CYCLES);
    this.before = yield* this.settled();
  }

  /** What there is once several looks have seen the same: ends of channels take a while. */
  private *settled(): Wait<Inventory[]> {
    let seen: Inventory[] = [];
    let sameCount = 0;
    for (let i = 0; i < MAX_LOOKS && sameCount < CALM_LOOKS; i++) {
      yield* this.os.sleep(PAUSE_CYCLES);
      const now = yield* this.inventories();
      sameCount = JSON.stringify(now) === JSON.stringify(seen) ? sameCount + 1 : 0;
      seen = now;
    }
    return seen;
  }

  private *inventories(): Wait<Inventory[]> {
    const all: Inventory[] = [];
    for (const probe of this.probes) {
      all.push(JSON.parse((yield* probe.inventory({})).text) as Inventory);
    }
    return all;
  }

  private *expectNothingLeft(): Wait<void> {
    let differences: string[] = [];
    for (let i = 0; i < MAX_LOOKS; i++) {
      yield* this.os.sleep(PAUSE_CYCLES);
      const after = yield* this.inventories();
      differences = after.flatMap((each, core) => compare(core, this.before[core] ?? {}, each));
      if (differences.length === 0) return;
    }
    throw new Error(`something is left, or has gone:\n${differences.join('\n')}`);
  }
}

/** One history. */
class Performance {
  private readonly os: ProgramOs;
  private readonly score: Score;
  private readonly living: Member[];
  /** Who may be found dead. */
  private readonly ended: Set<number>;
  private lastId: number;

  constructor(os: ProgramOs, score: Score, lastId: number) {
    this.os = os;
    this.score = score;
    this.living = [];
    this.ended = new Set();
    this.lastId = lastId;
  }

  *play({ seed, events }: History): Wait<void> {
    for (const event of events) yield* this.happen(event, seed);
    for (const member of this.living) yield* this.setSuspended(member, false);
    // Those who serve slowly are asked last: others may still wait for them.
    for (const member of [...this.living]) yield* this.rest(member);
    for (const member of [...this.living]) yield* this.end(member);
  }

  private *happen(event: Event, seed: number): Wait<void> {
    const { os, living } = this;
    switch (event.kind) {
      case 'start':
        if (living.length < MAX_LIVING) yield* this.start(event.core, event.temper, seed);
        return;
      case 'pause':
        yield* os.sleep(event.cycles);
        return;
      default: {
        const member = living[event.which];
        if (member === undefined) return;
        if (event.kind === 'kill') yield* this.end(member);
        else yield* this.setSuspended(member, event.kind === 'suspend');
      }
    }
  }

  private *start(core: number, temper: Temper, seed: number): Wait<void> {
    const { os } = this;
    this.lastId += 1;
    const id = this.lastId;
    const args = [`${id}`, temper, `${seed}`];
    const wish = { core, program: 'talker', args, environment: [], caps: [] };
    if (temper === 'mortal') this.ended.add(id);
    const { domain } = yield* os.system.spawn({ ...wish, quotaBytes: QUOTA_BYTES });
    const steer = yield* os.names.connect(`steer/${id}`, Steer, true);
    const member = { id, core, temper, domain, steer, isSuspended: false };
    for (const other of this.living) {
      yield* this.steer(other, other.steer.meet({ id }));
      yield* this.steer(member, steer.meet({ id: other.id }));
    }
    this.living.push(member);
  }

  /** Suspended domains do nothing; they are told when they are not any more. */
  private *steer<T>(member: Member, step: Wait<T>): Wait<T | undefined> {
    const { isSuspended } = member;
    if (isSuspended) yield* this.setSuspended(member, false);
    try {
      return yield* step;
    } catch (error) {
      if (error instanceof OsError && this.ended.has(member.id)) return undefined;
      throw error;
    } finally {
      if (isSuspended) yield* this.setSuspended(member, true);
    }
  }

  private *setSuspended(member: Member, isSuspended: boolean): Wait<void> {
    const { system } = this.os;
    const { domain } = member;
    if (member.isSuspended === isSuspended) return;
    member.isSuspended = isSuspended;
    try {
      yield* isSuspended ? system.suspend({ domain }) : system.resume({ domain });
    } catch (error) {
      if (!(error instanceof OsError && this.ended.has(member.id))) throw error;
    }
  }

  private *rest(member: Member): Wait<void> {
    const report = yield* this.steer(member, member.steer.rest({}));
    if (report === undefined) return;
    const { problem, dead, saidCount, heardCount } = report;
    if (problem !== '') throw new Error(problem);
    const wrong = dead.filter((id) => !this.ended.has(id));
    if (wrong.length > 0) throw new Error(`domain ${member.id} got no answer of ${wrong.join()}`);
    this.score.saidCount += saidCount;
    this.score.heardCount += heardCount;
  }

  /** Kill it, if it has not ended by itself. */
  private *end(member: Member): Wait<void> {
    const { os, living } = this;
    const { domain } = member;
    this.ended.add(member.id);
    living.splice(living.indexOf(member), 1);
    try {
      yield* os.system.kill({ domain });
    } catch (error) {
      if (!(error instanceof OsError && member.temper === 'mortal')) throw error;
    }
    yield* os.system.wait({ domain });
    os.drop(domain);
  }
}

function compare(core: number, before: Inventory, after: Inventory): string[] {
  const lines: string[] = [];
  for (const [name, was] of Object.entries(before)) {
    const is = after[name];
    const slack = name in SLACK ? SLACK[name as keyof typeof SLACK] : 0;
    const isSame =
      typeof was === 'number' && typeof is === 'number'
        ? Math.abs(was - is) <= slack
        : JSON.stringify(was) === JSON.stringify(is);
    if (isSame) continue;
    lines.push(`core ${core}: ${name} was ${JSON.stringify(was)}, is ${JSON.stringify(is)}`);
  }
  return lines;
}
