/**
 * Who sends to whom, and in which order, when one core has something to tell others and wants to
 * know that all have heard it. Answers take the same way back: a core answers when all to which it
 * has sent have answered.
 *
 *     unicast              multicast and numa
 *     root -> each         root -> its own package, and one core of each other package (aggregator)
 *                                  aggregator -> the rest of its package
 *
 * A plan is made of the root, the members and the topology alone. So every core that knows these
 * makes the same one.
 * @source Baumann et al., The Multikernel (SOSP 2009), section 5.1: the four ways
 */

import { coreHops, packageOfCore, type Topology } from '@barreleye/spec';

/**
 * - `broadcast`: the root writes once, where all members look; each answers for itself.
 * - `unicast`: the root sends to each.
 * - `multicast`: the root sends to one core of each package, in the order of core numbers.
 * - `numa`: likewise, to the farthest package first, because its answer takes longest, and to the
 *   root's own package last. Channels belong into the RAM of the package where they end.
 */
export const PLAN_KINDS = ['broadcast', 'unicast', 'multicast', 'numa'] as const;
export type PlanKind = (typeof PLAN_KINDS)[number];

/** Who is to hear of something. */
export interface Group {
  readonly root: number;
  /** In any order. The root knows already, whether it is named here or not. */
  readonly members: readonly number[];
  /** If nobody knows it, all cores count to one package. */
  readonly topology: Topology | undefined;
}

export interface Plan {
  readonly kind: PlanKind;
  readonly root: number;
  /** To whom each core sends, in order. Who sends to nobody is not here. */
  readonly targets: ReadonlyMap<number, readonly number[]>;
}

/** What cores are where nobody knows better: equally near. */
const ONE_PACKAGE: Topology = { packageOf: [], hops: [[0]] };

/** Plan the way to all members. */
export function planSends(kind: PlanKind, group: Group): Plan {
  const { root } = group;
  const members = [...new Set(group.members)].filter((core) => core !== root);
  members.sort((a, b) => a - b);
  const isTree = kind === 'multicast' || kind === 'numa';
  const targets = isTree ? planTree(kind, members, group) : new Map([[root, members]]);
  for (const [core, list] of targets) if (list.length === 0) targets.delete(core);
  return { kind, root, targets };
}

/** To whom `core` sends, in order. */
export function targetsOf({ targets }: Plan, core: number): readonly number[] {
  return targets.get(core) ?? [];
}

/** From whom `core` hears of it; `undefined` for the root, and for who is no member. */
export function parentOf({ targets }: Plan, core: number): number | undefined {
  for (const [parent, list] of targets) if (list.includes(core)) return parent;
  return undefined;
}

/**
 * The members that do not hear of it when those of `failed` are dead: these themselves, and whom
 * they should have told. What is left of them is planned anew.
 */
export function unreached(plan: Plan, failed: ReadonlySet<number>): number[] {
  const lost: number[] = [];
  const visit = (core: number, isCut: boolean): void => {
    for (const target of targetsOf(plan, core)) {
      const isLost = isCut || failed.has(target);
      if (isLost) lost.push(target);
      visit(target, isLost);
    }
  };
  visit(plan.root, false);
  return lost;
}

/** Steps from the root to the member that is farthest down. */
export function planDepth(plan: Plan, core = plan.root): number {
  let depth = 0;
  for (const target of targetsOf(plan, core)) {
    depth = Math.max(depth, 1 + planDepth(plan, target));
  }
  return depth;
}

/** @param members in the order of their numbers, without the root */
function planTree(
  kind: 'multicast' | 'numa',
  members: readonly number[],
  { root, topology = ONE_PACKAGE }: Group,
): Map<number, number[]> {
  const first: number[] = [];
  const targets = new Map([[root, first]]);
  const aggregators = new Map([[packageOfCore(topology, root), root]]);
  for (const core of members) {
    const home = packageOfCore(topology, core);
    const aggregator = aggregators.get(home);
    if (aggregator === undefined) {
      aggregators.set(home, core);
      targets.set(core, []);
      first.push(core);
    } else {
      targets.get(aggregator)?.push(core);
    }
  }
  // The sort is stable: packages that are equally far stay in the order of their cores.
  if (kind === 'numa')
    first.sort((a, b) => coreHops(topology, root, b) - coreHops(topology, root, a));
  return targets;
}
