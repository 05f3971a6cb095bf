/** Plans reach every member once, by the way that their kind says. */

import type { Topology } from '@barreleye/spec';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  PLAN_KINDS,
  type Plan,
  type PlanKind,
  parentOf,
  planDepth,
  planSends,
  targetsOf,
  unreached,
} from './plan.ts';

/** Three packages of three cores in a row: 0-1-2. */
const ROW: Topology = {
  packageOf: [0, 0, 0, 1, 1, 1, 2, 2, 2],
  hops: [
    [0, 1, 2],
    [1, 0, 1],
    [2, 1, 0],
  ],
};
const ALL = ROW.packageOf.map((_, core) => core);

const anyKind = fc.constantFrom(...PLAN_KINDS);
const anyTopology: fc.Arbitrary<Topology> = fc
  .record({ packages: fc.integer({ min: 1, max: 8 }), cores: fc.integer({ min: 1, max: 40 }) })
  .chain(({ packages, cores }) =>
    fc.record({
      packageOf: fc.array(fc.nat(packages - 1), { minLength: cores, maxLength: cores }),
      hops: fc.array(fc.array(fc.nat(3), { minLength: packages, maxLength: packages }), {
        minLength: packages,
        maxLength: packages,
      }),
    }),
  );
/** A kind, a topology, a root, and members of which some may be named twice. */
const anyCase = fc
  .tuple(anyKind, anyTopology)
  .chain(([kind, topology]) => {
    const core = fc.nat(topology.packageOf.length - 1);
    return fc.tuple(fc.constant(kind), fc.constant(topology), core, fc.array(core));
  })
  .map(([kind, topology, root, members]) => ({ kind, topology, root, members }));

/** All cores that are sent to, as often as they are. */
function reached(plan: Plan, core = plan.root): number[] {
  return targetsOf(plan, core).flatMap((target) => [target, ...reached(plan, target)]);
}

function sorted(cores: Iterable<number>): number[] {
  return [...cores].sort((a, b) => a - b);
}

/** The members without the root, each once. */
function wanted({ root, members }: { root: number; members: number[] }): number[] {
  return sorted(new Set(members.filter((core) => core !== root)));
}

describe('every plan', () => {
  it('reaches each member exactly once, and nobody else', () => {
    fc.assert(
      fc.property(anyCase, ({ kind, ...group }) => {
        expect(sorted(reached(planSends(kind, group)))).toEqual(wanted(group));
      }),
    );
  });

  it('is as deep as its kind says', () => {
    fc.assert(
      fc.property(anyCase, ({ kind, ...group }) => {
        const depth = planDepth(planSends(kind, group));
        const most = { broadcast: 1, unicast: 1, multicast: 2, numa: 2, tree: 3 }[kind];
        expect(depth).toBeLessThanOrEqual(most);
        expect(depth > 0).toBe(wanted(group).length > 0);
      }),
    );
  });

  it('does not depend on the order of the members', () => {
    fc.assert(
      fc.property(anyCase, ({ kind, members, ...rest }) => {
        const reversed = [...members].reverse();
        const plan = planSends(kind, { ...rest, members });
        expect(planSends(kind, { ...rest, members: reversed })).toEqual(plan);
      }),
    );
  });

  it('knows from whom each member hears of it', () => {
    fc.assert(
      fc.property(anyCase, ({ kind, ...group }) => {
        const plan = planSends(kind, group);
        expect(parentOf(plan, group.root)).toBeUndefined();
        for (const core of wanted(group)) {
          expect(targetsOf(plan, parentOf(plan, core) ?? -1)).toContain(core);
        }
      }),
    );
  });
});

describe('when members fail', () => {
  it('those that are left are reached by the plan or by a new one', () => {
    fc.assert(
      fc.property(anyCase, fc.func(fc.boolean()), ({ kind, ...group }, hasFailed) => {
        const members = wanted(group);
        const failed = new Set(members.filter((core) => hasFailed(core)));
        const plan = planSends(kind, group);
        const lost = unreached(plan, failed);
        const heard = members.filter((core) => !lost.includes(core));
        expect(heard.filter((core) => failed.has(core))).toEqual([]);
        for (const core of heard) {
          const parent = parentOf(plan, core) ?? -1;
          expect(parent === group.root || heard.includes(parent)).toBe(true);
        }
        const again = lost.filter((core) => !failed.has(core));
        const second = planSends(kind, { ...group, members: again });
        expect(unreached(second, failed)).toEqual([]);
        expect(sorted([...heard, ...reached(second), ...failed])).toEqual(members);
      }),
    );
  });

  it('an aggregator takes its package with it', () => {
    const plan = planSends('numa', { root: 0, members: ALL, topology: ROW });
    expect(unreached(plan, new Set([3]))).toEqual([3, 4, 5]);
    expect(unreached(plan, new Set([4, 1]))).toEqual([4, 1]);
    expect(unreached(plan, new Set())).toEqual([]);
  });
});

describe('a plan of the kind', () => {
  const sends = (kind: PlanKind, root: number, members = ALL): [number, readonly number[]][] => [
    ...planSends(kind, { root, members, topology: ROW }).targets,
  ];

  it.each(['broadcast', 'unicast'] as const)('%s goes from the root to each', (kind) => {
    expect(sends(kind, 4)).toEqual([[4, [0, 1, 2, 3, 5, 6, 7, 8]]]);
  });

  it('multicast goes to one core of each package, in core order', () => {
    expect(sends('multicast', 4)).toEqual([
      [4, [0, 3, 5, 6]],
      [0, [1, 2]],
      [6, [7, 8]],
    ]);
  });

  it('numa goes to the farthest package first, and to its own last', () => {
    expect(sends('numa', 1)).toEqual([
      [1, [6, 3, 0, 2]],
      [3, [4, 5]],
      [6, [7, 8]],
    ]);
  });

  it('tree goes to half of the aggregators, which tell one more each', () => {
    expect(sends('tree', 1)).toEqual([
      [1, [6, 0, 2]],
      [3, [4, 5]],
      [6, [3, 7, 8]],
    ]);
  });

  it('numa has no aggregator where a package has one member', () => {
    expect(sends('numa', 8, [0, 4, 5])).toEqual([
      [8, [0, 4]],
      [4, [5]],
    ]);
  });
});

it.each(PLAN_KINDS)('%s goes from the root to each where no topology is known', (kind) => {
  const plan = planSends(kind, { root: 2, members: [5, 2, 40, 0], topology: undefined });
  expect([...plan.targets]).toEqual([[2, [0, 5, 40]]]);
});

it('nobody sends when the root is alone', () => {
  for (const kind of PLAN_KINDS) {
    const plan = planSends(kind, { root: 2, members: [2], topology: ROW });
    expect([plan.targets.size, planDepth(plan)]).toEqual([0, 0]);
  }
});
