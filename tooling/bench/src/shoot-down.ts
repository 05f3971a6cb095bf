/**
 * The messages of a TLB shoot-down, and nothing else: one core tells others, by a plan of
 * `@barreleye/multicast`, and waits until all have answered. In cycles of virtual time, from the
 * first send until the last answer has been taken.
 */
import { type Plan, type PlanKind, parentOf, planSends, targetsOf } from '@barreleye/multicast';
import { packageOfCore, type Topology, type UserCpu } from '@barreleye/spec';
import { UmpEnd as End, MappedWords, type UmpEnd, umpChannelBytes } from '@barreleye/ump';
import { type Loop, NearMemory, runRawCores } from './raw-cores.ts';

const SLOTS = 29;
/** Rounds before those that count: until all lines have been where they will be. */
const WARM_UP = SLOTS;
/** Rounds that count; lines are in all places of their rings. */
const ROUNDS = SLOTS;
const MESSAGE_WORDS = 4;

export interface ShootDown {
  readonly topology: Topology;
  readonly kind: PlanKind;
  /** Cores that take part, the first ones of the topology. The first of all is the root. */
  readonly coreCount: number;
}

/** Cycles of one shoot-down on average. */
export function measureShootDown({ topology, kind, coreCount }: ShootDown): number {
  const members = Array.from({ length: coreCount }, (_, core) => core);
  const plan = planSends(kind, { root: 0, members, topology });
  const memory = new NearMemory(topology);
  const channels = new Map<number, number>();
  for (const core of members.slice(1)) {
    const isNear = kind === 'numa' || kind === 'tree';
    const home = isNear ? packageOfCore(topology, core) : packageOfCore(topology, 0);
    channels.set(core, memory.take(home, umpChannelBytes(SLOTS)));
  }
  const shared = memory.take(packageOfCore(topology, 0), 64);
  const took: number[] = [];
  const loopOf = (core: number, cpu: UserCpu): Loop => {
    const teller = new Teller(cpu, plan, core, channels, shared);
    return core === 0 ? rootLoop(cpu, teller, took) : memberLoop(teller);
  };
  runRawCores({ topology, coreCount, loopOf }, () => took.length >= WARM_UP + ROUNDS);
  const counted = took.slice(WARM_UP, WARM_UP + ROUNDS);
  return counted.reduce((sum, cycles) => sum + cycles, 0) / ROUNDS;
}

/** One core's part of a plan. */
class Teller {
  private readonly cpu: UserCpu;
  private readonly parent: UmpEnd | undefined;
  private readonly targets: readonly UmpEnd[];
  private readonly shared: number | undefined;
  private readonly message: Uint32Array;
  /** Targets whose answer is still to come. */
  private readonly waiting: UmpEnd[];
  private round: number;

  constructor(
    cpu: UserCpu,
    plan: Plan,
    core: number,
    channels: ReadonlyMap<number, number>,
    shared: number,
  ) {
    const end = (member: number, side: 'client' | 'server'): UmpEnd =>
      new End(new MappedWords(cpu, channels.get(member) ?? 0), 0, side, { slotCount: SLOTS });
    this.cpu = cpu;
    this.parent = parentOf(plan, core) === undefined ? undefined : end(core, 'server');
    this.targets = targetsOf(plan, core).map((target) => end(target, 'client'));
    this.shared = plan.kind === 'broadcast' ? shared : undefined;
    this.message = new Uint32Array(14);
    this.waiting = [];
    this.round = 0;
  }

  /** Whether there is something new from whom this core hears of things. */
  hasHeard(): boolean {
    if (this.shared === undefined) return this.take(this.parent);
    if (this.cpu.loadAcquire32(this.shared) === this.round) return false;
    this.round += 1;
    return true;
  }

  /** Tell all targets. */
  tell(): void {
    if (this.shared !== undefined && this.targets.length > 0) {
      this.round += 1;
      this.cpu.storeRelease32(this.shared, this.round);
    } else {
      for (const target of this.targets) this.send(target);
    }
    this.waiting.push(...this.targets);
  }

  /**
   * Take answers, in the order in which they are to be expected. To look at all of them again and
   * again would be to wait for each line that is just being written. Whether all have come.
   */
  hasAnswers(): boolean {
    const { waiting } = this;
    while (waiting.length > 0 && this.take(waiting[0])) waiting.shift();
    return waiting.length === 0;
  }

  /** Answer who has told this core. */
  answer(): void {
    if (this.parent !== undefined) this.send(this.parent);
  }

  private send(end: UmpEnd): void {
    if (!end.sender.trySend(this.message, MESSAGE_WORDS)) throw new Error('a ring is full');
  }

  private take(end: UmpEnd | undefined): boolean {
    return end !== undefined && end.receiver.tryReceive(this.message) >= 0;
  }
}

function rootLoop(cpu: UserCpu, teller: Teller, took: number[]): Loop {
  let start = -1;
  return () => {
    if (start < 0) {
      cpu.spend(1000); // until everybody waits again
      start = cpu.now();
      teller.tell();
    }
    if (!teller.hasAnswers()) return;
    took.push(cpu.now() - start);
    start = -1;
  };
}

function memberLoop(teller: Teller): Loop {
  let isWaiting = false;
  return () => {
    if (!isWaiting) {
      if (!teller.hasHeard()) return;
      teller.tell();
    }
    isWaiting = !teller.hasAnswers();
    if (!isWaiting) teller.answer();
  };
}
