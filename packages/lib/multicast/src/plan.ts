/**
 * Who sends to whom, and in which order, when one core has something to tell others and wants to
 * know that all have heard it. Answers take the same way back: a core answers when all to which it
 * has sent have answered.
 *
 *     unicast              multicast and numa
 *     root -> each         root -> its own package, and one core of each other package (aggregator)
 *                                  aggregator -> the rest of its package
 *
 *                          tree
 *                          root -> its own package, and half of the aggregators
 *                                  aggregator -> the rest of its package, and one aggregator more
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
 * - `tree`: likewise, but aggregators help: each that the root tells, tells one more, the nearest.
 *   It pays where to tell somebody takes longer than the way.
 */
export const PLAN_KINDS = ['broadcast', 'unicast', 'multicast', 'numa', 'tree'] as const;
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
  const isFlat = kind === 'broadcast' || kind === 'unicast';
  const targets = isFlat ? new Map([[root, members]]) : planTree(kind, members, group);
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
  kind: 'multicast' | 'numa' | 'tree',
  members: readonly number[],
  { root, topology = ONE_PACKAGE }: Group,
): Map<number, number[]> {
  const aggregators = new Map([[packageOfCore(topology, root), root]]);
  const targets = new Map<number, number[]>([[root, []]]);
  for (const core of members) {
    const home = packageOfCore(topology, core);
    const aggregator = aggregators.get(home);
    if (aggregator !== undefined) {
      targets.get(aggregator)?.push(core);
      continue;
    }
    aggregators.set(home, core);
    targets.set(core, []);
  }
  const others = [...aggregators.values()].slice(1);
  if (kind === 'tree') pairUp(root, others, topology, targets);
  else if (kind === 'numa') targets.get(root)?.unshift(...farthestFirst(topology, root, others));
  else {
    targets.get(root)?.push(...others);
    targets.get(root)?.sort((a, b) => a - b);
  }
  return targets;
}

/** In that order; who is equally far stays in the order of core numbers, as sorts are stable. */
function farthestFirst(topology: Topology, from: number, cores: readonly number[]): number[] {
  return [...cores].sort((a, b) => coreHops(topology, from, b) - coreHops(topology, from, a));
}

/**
 * Have `root` tell `others`, aggregators of other packages: half of them, the farthest first. Each
 * of these tells the one that is nearest to it among those that are left.
 */
function pairUp(
  root: number,
  others: readonly number[],
  topology: Topology,
  targets: Map<number, number[]>,
): void {
  const chosen: number[] = [];
  const left = farthestFirst(topology, root, others);
  for (let first = left.shift(); first !== undefined; first = left.shift()) {
    chosen.push(first);
    const nearest = farthestFirst(topology, first, left).at(-1);
    if (nearest === undefined) continue;
    left.splice(left.indexOf(nearest), 1);
    targets.get(first)?.unshift(nearest);
  }
  targets.get(root)?.unshift(...chosen);
}
