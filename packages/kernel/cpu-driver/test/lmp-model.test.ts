/**
 * Random histories of three dispatchers that send each other words and capabilities, and stop and
 * resume each other.
 */

import type { Slot } from '@barreleye/caps';
import { asErrval, asPtr, fromWords, type Ptr } from '@barreleye/core';
import {
  Cte,
  capAddrOf,
  Dcb,
  DispatcherCmd,
  DispatcherFrame,
  errNames,
  LmpFlag,
  ObjType,
  RootSlot,
} from '@barreleye/spec';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkInvariants } from '../src/index.ts';
import type { Bench, Target } from './bench.ts';
import { Domain } from './domain.ts';
import { MessageModel } from './lmp.model.ts';
import { areaWords } from './memory.ts';
import { BUFFER, MESSAGE_TARGETS, Ring, sendWords } from './parties.ts';
import { must, OWN_DISPATCHER, User } from './user.ts';
import { watchEntries } from './watch.ts';

const PARTIES = 3;
const SLOTS = 4;
const RING_WORDS = 40;
/** In the same CNode of everybody: endpoints to all, and behind them the slots of the model. */
const PLACE = capAddrOf(RootSlot.SlotAlloc1, 240);
const FIRST_SLOT = PLACE + PARTIES;
/** Behind those, the dispatchers of everybody. */
const DISPATCHERS = FIRST_SLOT + SLOTS;

type Step =
  | {
      readonly kind: 'send';
      readonly to: number;
      readonly length: number;
      readonly slot: number | undefined;
      readonly flags: number;
      readonly isDisabled: boolean;
    }
  | { readonly kind: 'receive' }
  | { readonly kind: 'arm'; readonly slot: number | undefined }
  | { readonly kind: 'drop'; readonly slot: number }
  | { readonly kind: 'interrupt' }
  | { readonly kind: 'driver' }
  | { readonly kind: 'stop' | 'resume'; readonly who: number }
  | { readonly kind: 'die' };

const slot = fc.nat(SLOTS - 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 160,
    arbitrary: fc.record({
      kind: fc.constant('send' as const),
      to: fc.nat(PARTIES - 1),
      length: fc.nat(10),
      slot: fc.option(slot, { nil: undefined, freq: 2 }),
      flags: fc.nat(LmpFlag.Sync | LmpFlag.Yield | LmpFlag.GiveAway),
      isDisabled: fc.boolean(),
    }),
  },
  { weight: 110, arbitrary: fc.constant({ kind: 'receive' as const }) },
  {
    weight: 60,
    arbitrary: fc.record({
      kind: fc.constant('arm' as const),
      slot: fc.option(slot, { nil: undefined }),
    }),
  },
  { weight: 30, arbitrary: fc.record({ kind: fc.constant('drop' as const), slot }) },
  { weight: 30, arbitrary: fc.constant({ kind: 'interrupt' as const }) },
  { weight: 10, arbitrary: fc.constant({ kind: 'driver' as const }) },
  {
    weight: 30,
    arbitrary: fc.record({
      kind: fc.constantFrom('stop' as const, 'resume' as const, 'resume' as const),
      who: fc.nat(PARTIES - 1),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'die' as const }) },
);

/** Three domains and the model of them. */
class World {
  readonly problems: string[];
  readonly bench: Bench;
  readonly model: MessageModel;
  private readonly user: User;
  private readonly dcbs: readonly Ptr<'Dcb'>[];
  private readonly frames: readonly Ptr<'DispatcherFrame'>[];
  private readonly rings: readonly Ring[];
  /** Physical addresses of the first slot of the model. */
  private readonly places: readonly number[];
  private readonly wordLimit: number;
  private nextWord: number;

  constructor(target: Target) {
    this.user = new User(target, { ramBytes: 8 * 2 ** 20 });
    const { user } = this;
    this.bench = user.bench;
    this.model = new MessageModel(PARTIES, SLOTS, RING_WORDS);
    this.problems = [];
    this.nextWord = 1;
    this.wordLimit = target.board.arch.lmpWords;
    const domains = [new Domain(user), new Domain(user)];
    for (const domain of domains) must(domain.setup());
    this.dcbs = [user.dcb, ...domains.map(({ dcb }) => dcb)];
    this.frames = [user.frame, ...domains.map(({ frame }) => frame)];
    this.rings = this.frames.map((frame) => new Ring(this.bench, frame, BUFFER, RING_WORDS));
    const toUser = user.makeEndpoint(BUFFER, RING_WORDS);
    const toOthers = domains.map(({ dispatcher }) =>
      user.makeEndpoint(BUFFER, RING_WORDS, dispatcher),
    );
    for (const [i, endpoint] of [toUser, ...toOthers].entries()) {
      must(user.copy(endpoint, PLACE + i));
      for (const domain of domains) {
        domain.give(endpoint, RootSlot.SlotAlloc1, (PLACE & 0xff) + i);
      }
    }
    const dispatchers = [OWN_DISPATCHER, ...domains.map(({ dispatcher }) => dispatcher)];
    for (const [i, dispatcher] of dispatchers.entries()) {
      must(user.copy(dispatcher, DISPATCHERS + i));
      for (const domain of domains) {
        domain.give(dispatcher, RootSlot.SlotAlloc1, (DISPATCHERS & 0xff) + i);
      }
    }
    // One object each for the first two slots of the first domain.
    for (const i of [0, 1]) must(user.copy(user.make(ObjType.Frame, 4096), FIRST_SLOT + i));
    const offset = (FIRST_SLOT & 0xff) * Cte.$bytes;
    const own = user.slot(FIRST_SLOT);
    this.places = [own, ...domains.map(({ homeCn }) => user.base(homeCn) + offset)];
    const { slots } = this.model.party(0);
    for (const i of [0, 1]) slots[i] = Cte.base.get(this.bench.mem, this.slotAt(0, i));
    watchEntries(this.bench, this.problems, () => 'history', 4);
  }

  /** Who has the core, -1 for nobody. */
  get current(): number {
    return this.dcbs.indexOf(this.bench.current);
  }

  do(each: Step): void {
    const { bench, current } = this;
    if (current < 0) return;
    const party = this.model.party(current);
    switch (each.kind) {
      case 'send':
        this.send(each);
        return;
      case 'receive':
        this.receive();
        return;
      case 'arm':
        party.armed = each.slot;
        this.rings[current]?.arm(each.slot === undefined ? 0 : FIRST_SLOT + each.slot);
        return;
      case 'drop':
        if (party.slots[each.slot] === undefined) return;
        must(this.user.delete(FIRST_SLOT + each.slot));
        party.slots[each.slot] = undefined;
        return;
      case 'interrupt':
        bench.endTurn();
        bench.run(1);
        return;
      case 'driver':
        bench.replaceDriver();
        return;
      case 'stop':
      case 'resume':
        this.stopOrResume(each.who, each.kind === 'stop');
        return;
      case 'die': {
        const frame = this.frameOf(current);
        DispatcherFrame.disabled.set(bench.mem, frame, 1);
        DispatcherFrame.pagefaultDisabledEntry.set(bench.mem, frame, 0);
        bench.act((cpu) => cpu.load32(0));
        party.isAlive = false;
      }
    }
  }

  /** Who has the core is one who can have it. */
  checkCurrent(): void {
    const { current } = this;
    if (current < 0) return;
    const { isAlive, isStopped } = this.model.party(current);
    expect([isAlive, isStopped]).toEqual([true, false]);
  }

  /** What the slots hold, beside what the model says. */
  check(): void {
    for (const [i, { slots }] of this.model.parties.entries()) {
      const held = slots.map((_, at) => Cte.base.get(this.bench.mem, this.slotAt(i, at)));
      expect(held).toEqual(slots.map((object) => object ?? 0));
    }
    expect(this.problems).toEqual([]);
    expect(checkInvariants(this.bench.kernel)).toEqual([]);
  }

  private send({ to, length, slot: from, flags, isDisabled }: Step & { kind: 'send' }): void {
    const { bench, current } = this;
    const count = Math.min(length, this.wordLimit);
    const words = Array.from({ length: count }, () => this.nextWord++);
    const frame = this.frameOf(current);
    DispatcherFrame.disabled.set(bench.mem, frame, isDisabled ? 1 : 0);
    const cap = from === undefined ? 0 : FIRST_SLOT + from;
    const expected = this.model.send({ from: current, to, words, slot: from, flags });
    const answer = this.user.call(...sendWords(PLACE + to, words, { cap, flags }));
    expect(this.current).toBe(expected.current);
    if (expected.current === current) {
      expect(answer).toEqual({ names: expected.names, value: 0 });
      return;
    }
    expect(answer.names).toEqual(['left']);
    const area = areaWords(bench, frame, isDisabled ? 'disabledArea' : 'enabledArea');
    const [low, high] = bench.arch.resultWords.map((i) => area[i] ?? 0);
    expect(errNames(asErrval(fromWords(low ?? 0, high ?? 0)))).toEqual(expected.names);
    expect(Dcb.disabled.get(bench.mem, this.dcbs[current] ?? asPtr(0))).toBe(isDisabled ? 1 : 0);
  }

  /** Somebody must be left to run, or the history would end. */
  private stopOrResume(who: number, isStop: boolean): void {
    const { current, model } = this;
    const others = model.parties.filter(({ isAlive, isStopped }) => isAlive && !isStopped);
    if (isStop && others.every((party) => party === model.party(who))) return;
    const { Stop, Resume } = DispatcherCmd;
    const answer = this.user.invoke(DISPATCHERS + who, isStop ? Stop : Resume);
    const expected = model.stop(who, isStop);
    if (!isStop || who !== current) expect(answer).toEqual({ names: expected, value: 0 });
    else expect(answer.names).toEqual(['left']);
  }

  private receive(): void {
    const { current } = this;
    const expected = this.model.party(current).queue.shift();
    const received = this.rings[current]?.receive();
    expect(received?.words).toEqual(expected?.words);
    expect(received?.hasCap).toBe(expected && expected.cap !== undefined);
  }

  private frameOf(party: number): Ptr<'DispatcherFrame'> {
    return this.frames[party] ?? asPtr(0);
  }

  private slotAt(party: number, i: number): Slot {
    return asPtr<'Cte'>((this.places[party] ?? 0) + i * Cte.$bytes);
  }
}

describe.each(MESSAGE_TARGETS)('dispatchers on $name', (target) => {
  test('exchange messages and capabilities as queues would (I61, I62, I66, T47)', () => {
    const counts = { sent: 0, moved: 0 };
    fc.assert(
      fc.property(fc.array(step, { minLength: 150, maxLength: 150 }), (steps) => {
        const world = new World(target);
        for (const each of steps) {
          const before = world.model.parties.reduce((sum, { queue }) => sum + queue.length, 0);
          world.do(each);
          world.checkCurrent();
          const { parties } = world.model;
          const after = parties.reduce((sum, { queue }) => sum + queue.length, 0);
          if (after <= before) continue;
          counts.sent += 1;
          if (parties.some(({ queue }) => queue.at(-1)?.cap !== undefined)) counts.moved += 1;
        }
        world.check();
      }),
      { numRuns: 20, seed: 20261121 },
    );
    expect(counts.sent, 'messages that arrived').toBeGreaterThan(300);
    expect(counts.moved, 'with capabilities among them').toBeGreaterThan(30);
  });
});
