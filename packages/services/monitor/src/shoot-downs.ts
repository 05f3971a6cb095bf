/**
 * Shoot-downs: all cores of a domain invalidate pages that its home has changed, in the way that a
 * plan says. A core that has nobody to tell answers at once. One that has tells them, and then the
 * root, by a message of its own. So no call waits for another core than the one that is called, and
 * a core that has died is known to be dead by whoever has called it, and by nobody else for it.
 */

import { KernelCap, type Os, TASK_KERNEL, type Thread, type Wait } from '@barreleye/libos';
import { type Plan, type PlanKind, planSends, targetsOf, unreached } from '@barreleye/multicast';
import { Bell } from '@barreleye/rpc';
import type { Topology } from '@barreleye/spec';
import { packCores } from './core-set.ts';
import type { MonitorOf } from './intermon.ts';
import { ask } from './tell.ts';

/** What `ShootDowns` needs. */
export interface ShootDownsHost {
  readonly os: Os;
  readonly core: number;
  readonly topology: Topology | undefined;
  readonly monitorOf: MonitorOf;
}

/** What a core is told: see `Intermon.invalidate`. */
export interface Order {
  readonly id: number;
  readonly va: number;
  readonly pageCount: number;
  readonly kind: PlanKind;
  readonly root: number;
  readonly members: readonly number[];
}

/** One that this core has begun. */
interface Operation {
  readonly order: Order;
  readonly plan: Plan;
  /** Who has not answered yet. */
  readonly waiting: Set<number>;
}

export class ShootDowns {
  private readonly host: ShootDownsHost;
  private readonly kernel: KernelCap;
  private readonly operations: Map<number, Operation>;
  private readonly answers: Bell;
  private lastId: number;

  constructor(host: ShootDownsHost) {
    this.host = host;
    this.kernel = new KernelCap(host.os.sys, TASK_KERNEL);
    this.operations = new Map();
    this.answers = new Bell(host.os.scheduler, 'a shoot-down');
    this.lastId = 0;
  }

  /** Those that are under way. */
  get count(): number {
    return this.operations.size;
  }

  /**
   * Have `members` invalidate; back when all have, or are no more.
   * @errors SYS_ERR_INVARGS_SYSCALL under LIB_ERR_KERNEL_CAP: there are no such pages
   */
  *run(
    members: readonly number[],
    va: number,
    pageCount: number,
    kind: PlanKind = this.host.topology === undefined ? 'unicast' : 'tree',
  ): Wait<void> {
    const { os, core: root } = this.host;
    os.check(this.kernel.invalidate(va, pageCount));
    this.lastId = (this.lastId + 1) >>> 0;
    const order = { id: this.lastId, va, pageCount, kind, root, members };
    const plan = this.planOf(order);
    const operation = { order, plan, waiting: new Set(members) };
    this.operations.set(order.id, operation);
    for (const target of targetsOf(plan, root)) this.send(operation, target, order);
    yield* this.answers.until(() => operation.waiting.size === 0);
    this.operations.delete(order.id);
  }

  /** Another core says that pages have changed. @returns whether all are done whom it reaches */
  obey(order: Order): boolean {
    const { os, core } = this.host;
    os.check(this.kernel.invalidate(order.va, order.pageCount));
    const targets = targetsOf(this.planOf(order), core);
    if (targets.length === 0) return true;
    os.spawnThread('passes a shoot-down on', this.passOn(order, targets));
    return false;
  }

  /** `cores` have done what operation `id` of this core says. */
  done(id: number, cores: readonly number[]): void {
    const waiting = this.operations.get(id)?.waiting;
    for (const core of cores) waiting?.delete(core);
    this.answers.ring();
  }

  /** Another core is no more: whom it should have told is told by this one. */
  coreEnded(core: number): void {
    for (const operation of this.operations.values()) this.lose(operation, core);
  }

  private planOf({ kind, root, members }: Order): Plan {
    return planSends(kind, { root, members, topology: this.host.topology });
  }

  private send(operation: Operation, target: number, order: Order): void {
    this.host.os.spawnThread(`shoots down on core ${target}`, this.tell(operation, target, order));
  }

  private *tell(operation: Operation, target: number, order: Order): Wait<void> {
    const isDone = yield* this.ask(target, order);
    if (isDone === undefined) this.lose(operation, target);
    else if (isDone) this.done(order.id, [target]);
  }

  /** Tell those that this core has to tell, and then the root that they are done. */
  private *passOn(order: Order, targets: readonly number[]): Wait<void> {
    const { os, core, monitorOf } = this.host;
    const done = [core, ...targets];
    const tell = (target: number, what: Order): Thread =>
      os.spawnThread(`shoots down on core ${target}`, this.ask(target, what));
    const asked = targets.map((target) => [target, tell(target, order)] as const);
    for (const [target, thread] of asked) {
      if ((yield* os.join(thread)) !== undefined) continue;
      // It is no more: whom it should have told, this core tells.
      for (const member of unreached(this.planOf(order), new Set([target]))) {
        if (member === target) continue;
        yield* os.join(tell(member, { ...order, kind: 'unicast', members: [member] }));
        done.push(member);
      }
    }
    const root = monitorOf(order.root);
    const [low, high] = packCores(done);
    if (root.ok) yield* root.value.invalidated({ id: order.id, low, high });
  }

  /** Whether a core has done it, and all whom it tells; undefined: it is no more. */
  private *ask(target: number, order: Order): Wait<boolean | undefined> {
    const { members, ...rest } = order;
    const [membersLow, membersHigh] = packCores(members);
    const words = { ...rest, membersLow, membersHigh };
    const answer = yield* ask(this.host.monitorOf, target, (m) => m.invalidate(words));
    return answer === undefined ? undefined : answer.isDone !== 0;
  }

  private lose(operation: Operation, core: number): void {
    const { order, plan, waiting } = operation;
    if (!waiting.delete(core)) return;
    for (const member of unreached(plan, new Set([core]))) {
      const alone = { ...order, kind: 'unicast', members: [member] } as const;
      if (waiting.has(member)) this.send(operation, member, alone);
    }
    this.answers.ring();
  }
}
