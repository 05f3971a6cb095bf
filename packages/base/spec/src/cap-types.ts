/**
 * The capability type system: one table, everything else is derived from it (numbers, TypeScript
 * types, the kernel's retype check, printers, documentation).
 *
 * Types are numbered in the order of the table and every parent stands before its children (I1):
 * the order of the mapping database relies on it. Source: Barrelfish capabilities/caps.hl, without
 * the virtualisation tables and PCI types.
 */

/** Which object the two 64-bit words of a capability describe. */
export type Identity =
  | 'none' //    nothing: the type alone is the authority
  | 'region' //  `base` and `bytes` are a range of physical addresses
  | 'object' //  `base` is a kernel object of fixed size
  | 'endpoint' // `base` is the dispatcher, `arg0` the buffer offset in its frame, `arg1` its words
  | 'mapping' // `base` is the mapped object, `bytes` the table, `arg0` first entry, `arg1` count
  | 'range' //   `arg0` to `arg1` inclusive, in a name space that is not memory
  | 'id'; //     `arg0` core, `arg1` number on that core

interface CapTypeSpec {
  /** Types it may be made from by retype. */
  readonly from?: readonly string[];
  /** May be retyped to itself (split). */
  readonly fromSelf?: true;
  readonly identity: Identity;
  /** Object size where it is fixed, bytes. */
  readonly bytes?: number;
  /** `base` and `bytes` are multiples of this. */
  readonly granule?: number;
  /** A page table accepts it. */
  readonly mappable?: true;
  /** Its memory is zeroed when it is made. */
  readonly zeroed?: true;
  /** The last copy returns RAM to its manager. */
  readonly ramBacked?: true;
  /** Exactly one core owns each object. */
  readonly local?: true;
  /** Ownership may move to another core. */
  readonly moveable?: true;
  /** May be sent to another core. */
  readonly sendable?: true;
  /** All capabilities of the type are copies of one another. */
  readonly alwaysCopy?: true;
  /** One capability of each object, and no more: it is neither copied nor minted. */
  readonly single?: true;
  /** The source may be retyped again while it has descendants. */
  readonly repeatable?: true;
  /** A page table; `arch` says whose. */
  readonly vnode?: true;
  /** May be the root of a VSpace. */
  readonly vspaceRoot?: true;
}

const memory = { identity: 'region', granule: 4096, local: true, sendable: true } as const;
const vnode = {
  from: ['RAM'],
  identity: 'object',
  bytes: 4096,
  granule: 4096,
  mappable: true,
  zeroed: true,
  ramBacked: true,
  local: true,
  sendable: true,
  vnode: true,
} as const;
const mapping = { identity: 'mapping', bytes: 1, local: true, single: true } as const;

/** The table. To add a type is to add a row; the compiler then names every place that must care. */
export const CAP_TYPES = {
  Null: { identity: 'none' },
  PhysAddr: { ...memory, fromSelf: true, moveable: true },
  RAM: { ...memory, from: ['PhysAddr'], fromSelf: true, ramBacked: true, moveable: true },
  L1CNode: {
    from: ['RAM'],
    identity: 'region',
    granule: 16384,
    zeroed: true,
    ramBacked: true,
    local: true,
    sendable: true,
  },
  L2CNode: {
    from: ['RAM'],
    identity: 'object',
    bytes: 16384,
    granule: 16384,
    zeroed: true,
    ramBacked: true,
    local: true,
    sendable: true,
  },
  Dispatcher: {
    from: ['RAM'],
    identity: 'object',
    bytes: 1024,
    granule: 1024,
    zeroed: true,
    ramBacked: true,
    local: true,
    repeatable: true,
  },
  EndPointLMP: { from: ['Dispatcher'], identity: 'endpoint', local: true },
  EndPointUMP: {
    ...memory,
    from: ['RAM'],
    mappable: true,
    zeroed: true,
    ramBacked: true,
    moveable: true,
  },
  EndPointUMP_Mapping: { ...mapping, from: ['EndPointUMP'] },
  Frame: {
    ...memory,
    from: ['RAM'],
    fromSelf: true,
    mappable: true,
    zeroed: true,
    ramBacked: true,
    moveable: true,
  },
  Frame_Mapping: { ...mapping, from: ['Frame'] },
  DevFrame: { ...memory, from: ['PhysAddr'], fromSelf: true, mappable: true },
  DevFrame_Mapping: { ...mapping, from: ['DevFrame'] },
  VNode_x86_64_pml4: { ...vnode, vspaceRoot: true },
  VNode_x86_64_pml4_Mapping: { ...mapping, from: ['VNode_x86_64_pml4'] },
  VNode_x86_64_pdpt: vnode,
  VNode_x86_64_pdpt_Mapping: { ...mapping, from: ['VNode_x86_64_pdpt'] },
  VNode_x86_64_pdir: vnode,
  VNode_x86_64_pdir_Mapping: { ...mapping, from: ['VNode_x86_64_pdir'] },
  VNode_x86_64_ptable: vnode,
  VNode_x86_64_ptable_Mapping: { ...mapping, from: ['VNode_x86_64_ptable'] },
  VNode_x86_32_pdpt: { ...vnode, vspaceRoot: true },
  VNode_x86_32_pdpt_Mapping: { ...mapping, from: ['VNode_x86_32_pdpt'] },
  VNode_x86_32_pdir: { ...vnode, vspaceRoot: true },
  VNode_x86_32_pdir_Mapping: { ...mapping, from: ['VNode_x86_32_pdir'] },
  VNode_x86_32_ptable: vnode,
  VNode_x86_32_ptable_Mapping: { ...mapping, from: ['VNode_x86_32_ptable'] },
  VNode_ARM_l1: { ...vnode, bytes: 16384, granule: 16384, vspaceRoot: true },
  VNode_ARM_l1_Mapping: { ...mapping, from: ['VNode_ARM_l1'] },
  VNode_ARM_l2: { ...vnode, bytes: 1024, granule: 1024 },
  VNode_ARM_l2_Mapping: { ...mapping, from: ['VNode_ARM_l2'] },
  VNode_AARCH64_l0: { ...vnode, vspaceRoot: true },
  VNode_AARCH64_l0_Mapping: { ...mapping, from: ['VNode_AARCH64_l0'] },
  VNode_AARCH64_l1: vnode,
  VNode_AARCH64_l1_Mapping: { ...mapping, from: ['VNode_AARCH64_l1'] },
  VNode_AARCH64_l2: vnode,
  VNode_AARCH64_l2_Mapping: { ...mapping, from: ['VNode_AARCH64_l2'] },
  VNode_AARCH64_l3: vnode,
  VNode_AARCH64_l3_Mapping: { ...mapping, from: ['VNode_AARCH64_l3'] },
  Kernel: { identity: 'none', alwaysCopy: true },
  KernelControlBlock: {
    from: ['RAM'],
    identity: 'object',
    bytes: 131072,
    granule: 4096,
    zeroed: true,
    ramBacked: true,
    local: true,
    sendable: true,
  },
  IRQTable: { identity: 'none', alwaysCopy: true },
  IRQSrc: { identity: 'range', fromSelf: true, sendable: true },
  IRQDest: { identity: 'id', sendable: true },
  IO: { identity: 'range', sendable: true },
  Notify_IPI: { identity: 'id', sendable: true },
  IPI: { identity: 'none', alwaysCopy: true, sendable: true },
  PerfMon: { identity: 'none', alwaysCopy: true, sendable: true },
  ID: { identity: 'id', sendable: true },
  ProcessManager: { identity: 'none', alwaysCopy: true, repeatable: true, sendable: true },
  Domain: { from: ['ProcessManager'], identity: 'id', sendable: true },
} as const satisfies Record<string, CapTypeSpec>;

type Table = typeof CAP_TYPES;

/** Name of a capability type. */
export type CapTypeName = keyof Table;

/** All type names; the position is the number. */
export const CAP_TYPE_NAMES = Object.keys(CAP_TYPES) as readonly CapTypeName[];

/** Type numbers by name: `ObjType.Frame`. */
export const ObjType = Object.fromEntries(CAP_TYPE_NAMES.map((name, i) => [name, i])) as {
  readonly [K in CapTypeName]: number;
};

/** Number of a capability type, 0 <= t < CAP_TYPE_COUNT. */
export type ObjType = number;

export const CAP_TYPE_COUNT = CAP_TYPE_NAMES.length;

type DirectParents<T extends CapTypeName> = Table[T] extends { from: readonly (infer P)[] }
  ? P
  : never;
type SelfParent<T extends CapTypeName> = Table[T] extends { fromSelf: true } ? T : never;

/** Types that are made by mapping, never by retype. */
export type MappingTypeName = Extract<CapTypeName, `${string}_Mapping`>;

/** What a capability of type `S` may be retyped to; the compiler's copy of the retype matrix. */
export type RetypeTarget<S extends CapTypeName> = {
  [T in Exclude<CapTypeName, MappingTypeName>]: S extends DirectParents<T> | SelfParent<T>
    ? T
    : never;
}[Exclude<CapTypeName, MappingTypeName>];

/** Types that a page table accepts. */
export type MappableTypeName = {
  [T in CapTypeName]: Table[T] extends { mappable: true } ? T : never;
}[CapTypeName];

/** Types that can be copied and minted. */
export type CopyableTypeName = {
  [T in CapTypeName]: T extends 'Null' ? never : Table[T] extends { single: true } ? never : T;
}[CapTypeName];

/** Page tables. */
export type VNodeTypeName = Extract<CapTypeName, `VNode_${string}`> &
  Exclude<CapTypeName, MappingTypeName>;

/** One row of the table in the form that kernel code uses: numbers and booleans, nothing absent. */
export interface CapTypeInfo {
  readonly type: ObjType;
  readonly name: CapTypeName;
  readonly identity: Identity;
  /** Bit set is impossible with 51 types in 32 bits: parents as a list, at most two. */
  readonly parents: readonly ObjType[];
  /** Fixed object size in bytes, 0 where it varies or there is no memory. */
  readonly bytes: number;
  /** `base` and `bytes` are multiples of this; 1 where there is no memory. */
  readonly granule: number;
  readonly mappable: boolean;
  readonly zeroed: boolean;
  readonly ramBacked: boolean;
  readonly local: boolean;
  readonly moveable: boolean;
  readonly sendable: boolean;
  readonly alwaysCopy: boolean;
  readonly single: boolean;
  readonly repeatable: boolean;
  readonly vnode: boolean;
  readonly vspaceRoot: boolean;
  /** Made only by a map operation. */
  readonly mapping: boolean;
  /** The type of the mappings of this one; Null's number where there is none. */
  readonly mappingType: ObjType;
  /** Types with the same ancestor at the top share it; the first sort key of the database. */
  readonly root: number;
}

/** The table by type number. */
export const CAP_TYPE_INFO: readonly CapTypeInfo[] = deriveInfo();

/** The row of type `type`; panics in development by being undefined for a number out of range. */
export function capTypeInfo(type: ObjType): CapTypeInfo {
  return CAP_TYPE_INFO[type] as CapTypeInfo;
}

/** Name of type `type`, also for numbers that are not a type (hostile input in reports). */
export function capTypeName(type: number): string {
  return CAP_TYPE_NAMES[type] ?? `type ${type}`;
}

/** Whether the retype matrix has an edge from `source` to `target`. */
export function isRetypeEdge(source: ObjType, target: ObjType): boolean {
  const info = CAP_TYPE_INFO[target];
  return info !== undefined && !info.mapping && info.parents.includes(source);
}

/** Whether `target` can be made from `source` by one or more retypes. */
export function isDerivedType(source: ObjType, target: ObjType): boolean {
  if (isRetypeEdge(source, target)) return true;
  return capTypeInfo(target).parents.some((p) => p !== target && isDerivedType(source, p));
}

function deriveInfo(): CapTypeInfo[] {
  const rows: CapTypeInfo[] = [];
  let rootCount = 0;
  for (const [type, name] of CAP_TYPE_NAMES.entries()) {
    const s: CapTypeSpec = CAP_TYPES[name];
    const from = (s.from ?? []).map((parent) => ObjType[parent as CapTypeName]);
    for (const parent of from) {
      if (!(parent < type)) throw new Error(`${name} must stand after its parent type (I1)`);
    }
    const [first] = from;
    rows.push({
      type,
      name,
      identity: s.identity,
      parents: s.fromSelf ? [...from, type] : from,
      bytes: s.bytes ?? 0,
      granule: s.granule ?? 1,
      mappable: s.mappable ?? false,
      zeroed: s.zeroed ?? false,
      ramBacked: s.ramBacked ?? false,
      local: s.local ?? false,
      moveable: s.moveable ?? false,
      sendable: s.sendable ?? false,
      alwaysCopy: s.alwaysCopy ?? false,
      single: s.single ?? false,
      repeatable: s.repeatable ?? false,
      vnode: s.vnode ?? false,
      vspaceRoot: s.vspaceRoot ?? false,
      mapping: s.identity === 'mapping',
      mappingType: s.mappable ? ObjType[`${name}_Mapping` as CapTypeName] : 0,
      root: first === undefined ? rootCount++ : (rows[first] as CapTypeInfo).root,
    });
  }
  return rows;
}
