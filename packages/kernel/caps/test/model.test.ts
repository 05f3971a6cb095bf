/** Random operations on the capability system and on its model: results and state must agree. */

import { asPtr } from '@barreleye/core';
import { CTE_BYTES, Cte, capTypeName, errName, ObjType } from '@barreleye/spec';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Holding, KINDS, Model, nameOf, type Place, type Thing } from '../src/caps.model.ts';
import {
  type Caps,
  checkCaps,
  copy,
  eachCap,
  eachFreeRam,
  reclaimRam,
  retype,
  revoke,
  type Slot,
  StepChecker,
} from '../src/index.ts';
import { CNODE_BASE, KIB, PAGE, RAM_BASE, World } from './world.ts';

const ROOT_BYTES = 32 * PAGE;
const SLOT_COUNT = 256;
const TYPES = Object.keys(KINDS);
/** Some that fit, some that do not; so many that they meet often. */
const OFFSETS = [0, 0, 1, 2, 3, 4, 5, 8, 12, 16, 20, 24, 31, 32].map((page) => page * PAGE);
const ODD_OFFSETS = [KIB, 2 * KIB, 7 * KIB, 100, PAGE + 1];
const SIZES = [1, 1, 1, 2, 2, 3, 4, 4, 8, 16, 32, 33, 0, 0.5].map((pages) => pages * PAGE);
const INDICES = [...Array.from({ length: 20 }, (_, i) => i), 253, 256];

/** Where the RAM is that everything is made from. */
const FIRST: Place = { cnode: '', index: 0 };

type RightsOf = Pick<Holding, 'rights'>;

interface Step {
  readonly kind: 'retype' | 'copy' | 'mint' | 'delete' | 'revoke' | 'map' | 'reclaim';
  readonly dice: readonly number[];
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom(
    ...(['retype', 'retype', 'retype', 'retype', 'retype', 'retype', 'copy', 'copy'] as const),
    ...(['mint', 'map', 'map', 'delete', 'delete', 'delete', 'revoke', 'reclaim'] as const),
  ),
  dice: fc.array(fc.noBias(fc.nat(99_999)), { minLength: 8, maxLength: 8 }),
});

function pick<T>(choices: readonly T[], die = 0): T {
  return choices[die % choices.length] as T;
}

/** The system and its model, side by side. */
class Pair {
  readonly world: World;
  readonly model: Model;
  readonly steps: StepChecker;

  constructor() {
    this.world = new World({ ramBytes: ROOT_BYTES });
    const root = { type: 'RAM', base: RAM_BASE, bytes: ROOT_BYTES };
    this.model = new Model(root, FIRST);
    this.steps = new StepChecker(this.world.caps);
    this.steps.begin();
  }

  run({ kind, dice }: Step): void {
    const place = this.place(dice[1], dice[2]);
    const source = this.source(kind, dice[0]);
    this.model.events = [];
    const before = this.world.log.length;
    const target = this.slot(source);
    const results = this.runOn(kind, dice, source, place);
    expect(results.real).toBe(results.expected);
    const isOk = results.real === 'OK' || kind === 'map';
    const stepKind = kind === 'mint' ? 'copy' : kind;
    const problems = this.steps.end({ kind: stepKind, target, isOk });
    problems.push(...checkCaps(this.world.caps));
    expect(problems.join()).toBe('');
    const events = this.world.log.slice(before).filter((line) => !/free|made/.test(line));
    expect(events.sort().join()).toBe(this.model.events.map(inWorldWords).sort().join());
    this.compare();
  }

  private runOn(
    kind: Step['kind'],
    dice: readonly number[],
    source: Place,
    place: Place,
  ): { real: string; expected: string } {
    const { world, model } = this;
    const { caps } = world;
    const from = this.slot(source);
    const holding = model.at(source);
    switch (kind) {
      case 'retype': {
        const fitting = TYPES.filter((name) =>
          KINDS[name]?.from.includes(holding?.thing.type ?? ''),
        );
        const isAny = (dice[3] ?? 0) % 6 === 0 || fitting.length === 0;
        const type = pick(isAny ? TYPES : fitting, (dice[3] ?? 0) >> 3);
        const offset = pick((dice[4] ?? 0) % 9 === 0 ? ODD_OFFSETS : OFFSETS, dice[5]);
        const bytes = pick(SIZES, dice[6]);
        const count = pick([1, 1, 1, 2, 3, 0], dice[7]);
        const type_ = ObjType[type as keyof typeof ObjType];
        const { cnode, slotIndex, rights } = this.cnode(place, dice[4]);
        const fixed = KINDS[type]?.bytes !== undefined;
        const request = { source: from, type: type_, offset, count, cnode, slotIndex };
        const err = retype(caps, {
          ...request,
          objectBytes: fixed ? 0 : bytes,
          isFromMonitor: false,
        });
        const expected = model.retype(holding, type, offset, bytes, count, { ...place, rights });
        return { real: errName(err), expected };
      }
      case 'copy': {
        const { cnode, slotIndex, rights } = this.cnode(place, dice[4]);
        const real = errName(world.copyInto(from, cnode, slotIndex));
        return { real, expected: model.copy(holding, { ...place, rights }) };
      }
      case 'mint': {
        if (holding !== undefined && /^EndPoint/.test(holding.thing.type)) return nothing;
        const keptRights = pick([63, 31, 3, 33, 0, 62], dice[3]);
        const { rights, ...target } = this.cnode(place, dice[4]);
        const request = { source: from, ...target, isMint: true, keptRights, param1: 0, param2: 0 };
        const expected = model.copy(holding, { ...place, rights }, keptRights);
        return { real: errName(copy(caps, request)), expected };
      }
      case 'delete': {
        const real = errName(world.delete(from));
        return { real, expected: model.delete(nameOf(source)) };
      }
      case 'revoke': {
        const trial = model.clone();
        trial.revoke(nameOf(source));
        if (holding !== undefined && trial.at(source)?.thing !== holding.thing) return nothing;
        return { real: errName(revoke(caps, from)), expected: model.revoke(nameOf(source)) };
      }
      case 'reclaim': {
        const { cnode, slotIndex, rights } = this.cnode(place, dice[4]);
        const [next] = eachFreeRam(caps);
        const real = errName(reclaimRam(caps, cnode, slotIndex));
        return { real, expected: model.reclaim(next, { ...place, rights }) };
      }
      default:
        return this.runMap(dice, source, place);
    }
  }

  private runMap(dice: readonly number[], source: Place, place: Place): typeof nothing {
    const { world, model } = this;
    const isFree = model.at(place) === undefined && place.index < SLOT_COUNT;
    const tables = [...model.slots].filter(([, h]) => KINDS[h.thing.type]?.isTable);
    const object = model.at(source);
    if (!isFree || tables.length === 0 || !object) return nothing;
    if (!KINDS[object.thing.type]?.isMappable) return nothing;
    const [name, table] = pick(tables, dice[3]);
    const first = 2 * ((dice[4] ?? 0) % 8);
    const isIn = (thing: Thing) => thing.table === table.thing && thing.first === first;
    if (model.things().some(isIn)) return nothing;
    world.map(this.slot(source), this.slotNamed(name), this.slot(place), first, 2);
    model.map(object, table, first, 2, place);
    return nothing;
  }

  /** Both have the same capabilities in the same slots, and the same memory has been freed. */
  private compare(): void {
    const { world, model } = this;
    const real = new Map<Slot, string>();
    for (const slot of eachCap(world.caps)) {
      const type = capTypeName(Cte.type.get(world.mem, slot));
      const base = Cte.base.get(world.mem, slot);
      if (base < RAM_BASE) continue; // the CNodes of the world itself
      real.set(slot, `${type} ${base} ${Cte.rights.get(world.mem, slot)}`);
    }
    const expected = new Map<Slot, string>();
    for (const [name, { thing, rights }] of model.slots) {
      expected.set(this.slotNamed(name), `${thing.type} ${thing.base} ${rights}`);
    }
    const bySlot = (a: [Slot, string], b: [Slot, string]): number => a[0] - b[0];
    expect(String([...real].sort(bySlot))).toBe(String([...expected].sort(bySlot)));
    expect(String(freePages(world.caps))).toBe(String(this.uncoveredPages()));
  }

  private uncoveredPages(): number[] {
    const pages: number[] = [];
    for (let at = 0; at < ROOT_BYTES; at += PAGE) {
      if (!this.model.isCovered(RAM_BASE + at, PAGE)) pages.push(at / PAGE);
    }
    return pages;
  }

  /** A full slot, or now and then an empty one. The RAM of it all is often retyped, rarely lost. */
  private source(kind: Step['kind'], die = 0): Place {
    const names = [...this.model.slots.keys()];
    const roots = names.filter((name) => this.model.slots.get(name)?.thing.bytes === ROOT_BYTES);
    const isOnly = kind === 'delete' && roots.length === 1 && die % 211 !== 0;
    const isSpared = isOnly || (kind === 'revoke' && die % 5 !== 0);
    const choices = isSpared ? names.filter((name) => !roots.includes(name)) : names;
    if (die % 17 === 0 || choices.length === 0)
      return { ...this.place(die), index: 1 + (die % 11) };
    const isRoot = kind === 'retype' && die % 3 !== 0 && roots.length > 0;
    const [cnode = '', index] = pick(isRoot ? roots : choices, die >> 3).split('/');
    return { cnode, index: Number(index) };
  }

  /** Any place: mostly in the CNode that is always there, else in one that was made. */
  private place(die = 0, other = 0): Place {
    const things = this.model.things().filter((thing) => thing.type === 'L2CNode');
    const made = die % 3 === 0 && things.length > 0 ? pick(things, die).base : '';
    const indices = made === '' ? INDICES : [0, 1, 2, 3, 256];
    return { cnode: String(made), index: pick(indices, other) };
  }

  /** Some capability of the CNode of a place, its rights, and the index in it. */
  private cnode({ cnode, index }: Place, die = 0): { cnode: Slot; slotIndex: number } & RightsOf {
    if (cnode === '') return { cnode: this.world.rootSlot(1), slotIndex: index, rights: 31 };
    const isIt = ({ thing }: Holding) => String(thing.base) === cnode && thing.type === 'L2CNode';
    const [name, { rights }] = pick(
      [...this.model.slots].filter(([, holding]) => isIt(holding)),
      die,
    );
    return { cnode: this.slotNamed(name), slotIndex: index, rights };
  }

  private slotNamed(name: string): Slot {
    const [cnode = '', index] = name.split('/');
    return this.slot({ cnode, index: Number(index) });
  }

  private slot({ cnode, index }: Place): Slot {
    const base = cnode === '' ? CNODE_BASE + 16 * KIB : Number(cnode);
    return asPtr<'Cte'>(base + index * CTE_BYTES);
  }
}

/** Operations of one history. */
const LENGTH = 100;
/** For soaks that somebody asks for; the usual run takes a few seconds. */
const TIME_LIMIT = 600_000;

const nothing = { real: '', expected: '' };

/** Numbers of pages that wait to be collected, in order; one that waits twice is there twice. */
function freePages(caps: Caps): number[] {
  const pages: number[] = [];
  for (const { base, bytes } of eachFreeRam(caps)) {
    const first = (base - RAM_BASE) / PAGE;
    for (let i = 0; i < bytes / PAGE; i++) pages.push(first + i);
  }
  return pages.toSorted((a, b) => a - b);
}

/** The model has addresses, the log of the world has places in RAM. */
function inWorldWords(event: string): string {
  return event.replace(/(\d+)(?= (?:died|\[))/, (base) => `+${(Number(base) - RAM_BASE) / KIB}K`);
}

describe('the capability system and its model (I24, I36)', () => {
  const seed = Number(process.env['FC_SEED'] ?? 20261121);
  const numRuns = Number(process.env['FC_RUNS'] ?? 1000);
  it(
    `agree on ${numRuns} random histories of ${LENGTH} operations (seed ${seed})`,
    () => {
      const history = fc.array(step, { minLength: LENGTH, maxLength: LENGTH, size: 'max' });
      fc.assert(
        fc.property(history, (operations) => {
          const pair = new Pair();
          for (const operation of operations) pair.run(operation);
        }),
        { seed, numRuns },
      );
    },
    TIME_LIMIT,
  );
});
