import { describe, expect, it } from 'vitest';
import {
  CAP_TYPE_COUNT,
  CAP_TYPE_INFO,
  CAP_TYPE_NAMES,
  CAP_TYPES,
  type CapTypeName,
  capTypeInfo,
  capTypeName,
  isRetypeEdge,
  type MappableTypeName,
  ObjType,
  type RetypeTarget,
  type VNodeTypeName,
} from './cap-types.ts';

// What follows is written out from the type table of Barrelfish (capabilities/caps.hl and the
// predicates in the kernel), less the virtualisation tables, PML5, FCNode and device identifiers.
const VNODES = [
  'VNode_x86_64_pml4',
  'VNode_x86_64_pdpt',
  'VNode_x86_64_pdir',
  'VNode_x86_64_ptable',
  'VNode_x86_32_pdpt',
  'VNode_x86_32_pdir',
  'VNode_x86_32_ptable',
  'VNode_ARM_l1',
  'VNode_ARM_l2',
  'VNode_AARCH64_l0',
  'VNode_AARCH64_l1',
  'VNode_AARCH64_l2',
  'VNode_AARCH64_l3',
];
const MATRIX: Readonly<Record<string, readonly string[]>> = {
  PhysAddr: ['PhysAddr', 'RAM', 'DevFrame'],
  RAM: [
    'RAM',
    'L1CNode',
    'L2CNode',
    'Dispatcher',
    'Frame',
    'EndPointUMP',
    'KernelControlBlock',
    ...VNODES,
  ],
  Frame: ['Frame'],
  DevFrame: ['DevFrame'],
  Dispatcher: ['EndPointLMP'],
  IRQSrc: ['IRQSrc'],
  ProcessManager: ['Domain'],
};
const MAPPABLE = ['Frame', 'DevFrame', 'EndPointUMP', ...VNODES];
const CNODES = ['L1CNode', 'L2CNode'];
const KERNEL_OBJECTS = [...CNODES, 'Dispatcher', 'KernelControlBlock', ...VNODES];
const FLAGS: Readonly<Record<string, readonly string[]>> = {
  mappable: MAPPABLE,
  mapping: MAPPABLE.map((name) => `${name}_Mapping`),
  vnode: VNODES,
  vspaceRoot: [
    'VNode_x86_64_pml4',
    'VNode_x86_32_pdpt',
    'VNode_x86_32_pdir',
    'VNode_ARM_l1',
    'VNode_AARCH64_l0',
  ],
  zeroed: ['Frame', 'EndPointUMP', ...KERNEL_OBJECTS],
  // KernelControlBlock too: Barrelfish forgets to give its memory back (T20c).
  ramBacked: ['RAM', 'Frame', 'EndPointUMP', ...KERNEL_OBJECTS],
  moveable: ['PhysAddr', 'RAM', 'Frame', 'EndPointUMP'],
  alwaysCopy: ['Kernel', 'IRQTable', 'PerfMon', 'IPI', 'ProcessManager'],
  repeatable: ['Dispatcher', 'ProcessManager'],
  // Barrelfish copies mappings; here one mapping capability stands for each run of entries.
  single: MAPPABLE.map((name) => `${name}_Mapping`),
};
const SIZES: Readonly<Record<string, number>> = {
  L2CNode: 16384,
  Dispatcher: 1024,
  KernelControlBlock: 131072,
  ...Object.fromEntries(VNODES.map((name) => [name, 4096])),
  VNode_ARM_l1: 16384,
  VNode_ARM_l2: 1024,
};
const sorted = (names: readonly string[]): string[] => [...names].sort();

describe('the type table', () => {
  it('has 51 types, numbered in order, with Null at 0', () => {
    expect(CAP_TYPE_COUNT).toBe(51);
    expect(CAP_TYPE_NAMES).toHaveLength(51);
    expect(CAP_TYPE_NAMES[0]).toBe('Null');
    for (const [i, name] of CAP_TYPE_NAMES.entries()) {
      expect(ObjType[name]).toBe(i);
      expect(CAP_TYPE_INFO[i]).toMatchObject({ type: i, name });
      expect(capTypeInfo(i)).toBe(CAP_TYPE_INFO[i]);
    }
  });

  it('has every parent before its children (I1)', () => {
    for (const { type, parents } of CAP_TYPE_INFO) {
      for (const parent of parents) expect(parent).toBeLessThanOrEqual(type);
    }
  });

  it('allows exactly the retypes of the reference', () => {
    for (const source of CAP_TYPE_NAMES) {
      const targets = CAP_TYPE_NAMES.filter((target) =>
        isRetypeEdge(ObjType[source], ObjType[target]),
      );
      expect([source, sorted(targets)]).toEqual([source, sorted(MATRIX[source] ?? [])]);
    }
  });

  it('knows no edge to or from a number that is no type', () => {
    for (const wrong of [-1, 51, 0.5, Number.NaN, 2 ** 32]) {
      expect(isRetypeEdge(ObjType.RAM, wrong)).toBe(false);
      expect(isRetypeEdge(wrong, ObjType.RAM)).toBe(false);
    }
  });

  it.each(Object.entries(FLAGS))('says %s of the types of the reference only', (flag, names) => {
    const flagged = CAP_TYPE_INFO.filter((info) => Reflect.get(info, flag) === true);
    expect(sorted(flagged.map(({ name }) => name))).toEqual(sorted(names));
  });

  it('gives objects the size of the reference, and nothing else has one', () => {
    for (const { name, bytes, identity } of CAP_TYPE_INFO) {
      if (identity === 'mapping') expect([name, bytes]).toEqual([name, 1]);
      else expect([name, bytes]).toEqual([name, SIZES[name] ?? 0]);
      expect(identity === 'object').toBe(SIZES[name] !== undefined);
    }
  });

  it('has granules that are powers of two and divide fixed sizes', () => {
    for (const { granule, bytes, identity } of CAP_TYPE_INFO) {
      expect(Number.isInteger(Math.log2(granule))).toBe(true);
      if (identity === 'object') expect(bytes % granule).toBe(0);
      if (identity === 'region') expect(granule).toBeGreaterThanOrEqual(4096);
    }
  });

  it('has one mapping type for each mappable type, made of nothing else', () => {
    for (const { name, mappable, mappingType } of CAP_TYPE_INFO) {
      if (!mappable) {
        expect([name, mappingType]).toEqual([name, ObjType.Null]);
        continue;
      }
      const mapping = capTypeInfo(mappingType);
      expect(mapping.name).toBe(`${name}_Mapping`);
      expect(mapping.parents).toEqual([ObjType[name]]);
    }
  });

  it('numbers the roots: one for all memory, one for each other family', () => {
    const rootOf = (name: CapTypeName): number => capTypeInfo(ObjType[name]).root;
    const families = new Map<number, string[]>();
    for (const { name, root } of CAP_TYPE_INFO) {
      families.set(root, [...(families.get(root) ?? []), name]);
    }
    expect([...families.keys()]).toEqual([...families.keys()].map((_, i) => i));
    expect(rootOf('PhysAddr')).toBe(1);
    expect(rootOf('Frame_Mapping')).toBe(rootOf('PhysAddr'));
    expect(rootOf('EndPointLMP')).toBe(rootOf('PhysAddr'));
    expect(rootOf('Domain')).toBe(rootOf('ProcessManager'));
    const others = [...families.values()].filter((names) => !names.includes('RAM'));
    expect(others.filter((names) => names.length > 1)).toEqual([['ProcessManager', 'Domain']]);
  });

  it('has memory types of one owner, and authorities of none', () => {
    for (const { name, root, local } of CAP_TYPE_INFO) {
      expect([name, local]).toEqual([name, root === 1]);
    }
  });

  it('never moves what cannot be sent', () => {
    for (const { moveable, sendable } of CAP_TYPE_INFO) expect(sendable || !moveable).toBe(true);
  });

  it('names also what is no type, for reports of hostile input', () => {
    expect(capTypeName(ObjType.Frame)).toBe('Frame');
    expect(capTypeName(51)).toBe('type 51');
    expect(capTypeName(-1)).toBe('type -1');
  });
});

describe('the compiler', () => {
  it('knows the retype matrix', () => {
    const fromRam: RetypeTarget<'RAM'>[] = ['RAM', 'Frame', 'L1CNode', 'VNode_ARM_l1'];
    const fromPhysAddr: RetypeTarget<'PhysAddr'>[] = ['PhysAddr', 'RAM', 'DevFrame'];
    const fromFrame: RetypeTarget<'Frame'> = 'Frame';
    const fromManager: RetypeTarget<'ProcessManager'> = 'Domain';
    // @ts-expect-error a Frame may hold anything by now
    const ramFromFrame: RetypeTarget<'Frame'> = 'RAM';
    // @ts-expect-error device memory is no RAM
    const frameFromDevice: RetypeTarget<'DevFrame'> = 'Frame';
    // @ts-expect-error mappings are made by mapping
    const mapping: RetypeTarget<'Frame'> = 'Frame_Mapping';
    // @ts-expect-error nothing is made of an endpoint
    const fromEndpoint: RetypeTarget<'EndPointUMP'> = 'EndPointUMP';
    // @ts-expect-error PhysAddr becomes a Frame only by way of RAM
    const skipped: RetypeTarget<'PhysAddr'> = 'Frame';
    for (const name of fromRam) expect(isRetypeEdge(ObjType.RAM, ObjType[name])).toBe(true);
    for (const name of fromPhysAddr) expect(MATRIX['PhysAddr']).toContain(name);
    expect([fromFrame, fromManager]).toEqual(['Frame', 'Domain']);
    for (const wrong of [ramFromFrame, frameFromDevice, mapping, fromEndpoint, skipped]) {
      expect(Object.hasOwn(CAP_TYPES, wrong)).toBe(true);
    }
  });

  it('knows what can be mapped, and what is a page table', () => {
    const mappable: MappableTypeName[] = ['Frame', 'DevFrame', 'EndPointUMP', 'VNode_ARM_l2'];
    const vnode: VNodeTypeName = 'VNode_x86_64_pml4';
    // @ts-expect-error RAM is never mapped (I18)
    const ram: MappableTypeName = 'RAM';
    // @ts-expect-error a mapping is not a page table
    const notVNode: VNodeTypeName = 'VNode_x86_64_pml4_Mapping';
    expect(MAPPABLE).toEqual(expect.arrayContaining(mappable));
    expect([VNODES.includes(vnode), VNODES.includes(notVNode)]).toEqual([true, false]);
    expect(capTypeInfo(ObjType[ram]).mappable).toBe(false);
  });
});
