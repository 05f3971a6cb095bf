/**
 * What capabilities mean, said a second time and in another way: sets of objects that know their
 * parents, ranges, and slots by name. It shares nothing with the real thing, neither code nor type
 * table nor the order of addresses, and it is slow.
 */

interface Kind {
  readonly from: readonly string[];
  /** Size where it is fixed. */
  readonly bytes?: number;
  /** Base and size are multiples of it. */
  readonly granule: number;
  readonly isMappable?: true;
  readonly isTable?: true;
}

const memory = { granule: 4096 } as const;

export const KINDS: { readonly [name: string]: Kind } = {
  RAM: { ...memory, from: ['RAM'] },
  Frame: { ...memory, from: ['RAM', 'Frame'], isMappable: true },
  EndPointUMP: { ...memory, from: ['RAM'], isMappable: true },
  L2CNode: { from: ['RAM'], bytes: 16384, granule: 16384 },
  Dispatcher: { from: ['RAM'], bytes: 1024, granule: 1024 },
  VNode_ARM_l2: { from: ['RAM'], bytes: 1024, granule: 1024, isMappable: true, isTable: true },
  VNode_x86_64_ptable: { ...memory, from: ['RAM'], bytes: 4096, isMappable: true, isTable: true },
  EndPointLMP: { from: ['Dispatcher'], bytes: 0, granule: 1 },
};

export interface Thing {
  readonly type: string;
  readonly base: number;
  readonly bytes: number;
  readonly parent: Thing | undefined;
  /** Mappings: where. */
  readonly table?: Thing;
  readonly first?: number;
  readonly count?: number;
}

export interface Holding {
  readonly thing: Thing;
  readonly rights: number;
}

export interface Place {
  /** '' for the CNodes that are always there, else the base of an L2 CNode. */
  readonly cnode: string;
  readonly index: number;
}

/** A place, named through a capability of its CNode with these rights. */
export interface Destination extends Place {
  readonly rights: number;
}

const ALL_RIGHTS = 63;
const REVOKE = 32;
const READ_WRITE = 3;
const WRITE = 2;
const SLOT_COUNT = 256;

export class Model {
  /** Full slots by name: `cnode/index`. */
  readonly slots = new Map<string, Holding>();
  /** What the hooks must have been told by the last operation, but for memory. */
  events: string[] = [];

  constructor(root: Omit<Thing, 'parent'>, place: Place) {
    this.slots.set(nameOf(place), { thing: { ...root, parent: undefined }, rights: ALL_RIGHTS });
  }

  retype(
    source: Holding | undefined,
    type: string,
    offset: number,
    bytes: number,
    count: number,
    place: Destination,
  ): string {
    const kind = KINDS[type] as Kind;
    if (source === undefined) return 'SYS_ERR_CAP_NOT_FOUND';
    const { thing } = source;
    const size = kind.bytes ?? bytes;
    const unit = kind.granule === 1 ? 4096 : Math.min(4096, kind.granule);
    if (offset % unit !== 0) return 'SYS_ERR_RETYPE_INVALID_OFFSET';
    if (kind.bytes === undefined && bytes % kind.granule !== 0) return 'SYS_ERR_INVALID_SIZE';
    if (!kind.from.includes(thing.type)) return 'SYS_ERR_INVALID_RETYPE';
    const isEndpoint = type === 'EndPointLMP';
    if (isEndpoint && (source.rights & WRITE) === 0) return 'SYS_ERR_CAP_RIGHTS';
    if (!isEndpoint && (size === 0 || size > thing.bytes)) return 'SYS_ERR_INVALID_SIZE';
    const most = isEndpoint ? 1 : Math.floor(thing.bytes / size);
    if (count < 1 || count > most) return 'SYS_ERR_RETYPE_INVALID_COUNT';
    if (offset + count * size > thing.bytes) return 'SYS_ERR_RETYPE_INVALID_OFFSET';
    if (isEndpoint && offset !== 0) return 'SYS_ERR_RETYPE_INVALID_OFFSET';
    const base = thing.base + offset;
    if (base % kind.granule !== 0) return 'SYS_ERR_RETYPE_INVALID_OFFSET';
    const isTaken = (other: Thing): boolean =>
      isBelow(other, thing) && overlaps(other, base, count * size) && other.table === undefined;
    if (!isEndpoint && this.things().some(isTaken)) return 'SYS_ERR_REVOKE_FIRST';
    if (isLimited(place)) return 'SYS_ERR_CNODE_RIGHTS';
    if (place.index + count > SLOT_COUNT) return 'SYS_ERR_SLOTS_INVALID';
    const targets = Array.from({ length: count }, (_, i) => ({ ...place, index: place.index + i }));
    if (targets.some((t) => this.at(t) !== undefined)) return 'SYS_ERR_SLOTS_IN_USE';

    const rights = type === thing.type ? source.rights : ALL_RIGHTS;
    for (const [i, target] of targets.entries()) {
      const made = { type, base: base + i * size, bytes: size, parent: thing };
      this.slots.set(nameOf(target), { thing: this.sameAs(made) ?? made, rights });
    }
    return 'OK';
  }

  copy(source: Holding | undefined, place: Destination, mask = ALL_RIGHTS): string {
    if (source === undefined) return 'SYS_ERR_CAP_NOT_FOUND';
    if (source.thing.table !== undefined) return 'SYS_ERR_INVALID_SOURCE_TYPE';
    if (isLimited(place)) return 'SYS_ERR_CNODE_RIGHTS';
    if (place.index >= SLOT_COUNT) return 'SYS_ERR_SLOTS_INVALID';
    if (this.at(place) !== undefined) return 'SYS_ERR_SLOT_IN_USE';
    this.slots.set(nameOf(place), { thing: source.thing, rights: source.rights & mask });
    return 'OK';
  }

  map(object: Holding, table: Holding, first: number, count: number, place: Place): void {
    const type = `${object.thing.type}_Mapping`;
    const { base, bytes } = object.thing;
    const thing = { type, base, bytes, parent: object.thing, table: table.thing, first, count };
    this.slots.set(nameOf(place), { thing, rights: object.rights });
  }

  /** `next` is the memory that comes next, which nobody may hold. */
  reclaim(next: Pick<Thing, 'base' | 'bytes'> | undefined, place: Destination): string {
    if (isLimited(place)) return 'SYS_ERR_CNODE_RIGHTS';
    if (place.index >= SLOT_COUNT) return 'SYS_ERR_SLOTS_INVALID';
    if (this.at(place) !== undefined) return 'SYS_ERR_SLOT_IN_USE';
    if (next === undefined) return 'SYS_ERR_CAP_NOT_FOUND';
    if (this.isCovered(next.base, next.bytes)) return 'held by somebody';
    const thing = { type: 'RAM', ...next, parent: undefined };
    this.slots.set(nameOf(place), { thing, rights: ALL_RIGHTS });
    return 'OK';
  }

  delete(name: string): string {
    const holding = this.slots.get(name);
    if (holding === undefined) return 'SYS_ERR_CAP_NOT_FOUND';
    this.slots.delete(name);
    if (!this.things().includes(holding.thing)) this.die(holding.thing);
    return 'OK';
  }

  /** Afterwards `name` may be gone itself, if it stood in a CNode that was revoked. */
  revoke(name: string): string {
    const target = this.slots.get(name);
    if (target === undefined) return 'SYS_ERR_CAP_NOT_FOUND';
    if ((target.rights & REVOKE) === 0) return 'SYS_ERR_CAP_RIGHTS';
    for (const [other, { thing }] of [...this.slots]) {
      const isRelative = thing === target.thing || isBelow(thing, target.thing);
      if (isRelative && other !== name && this.slots.has(other)) this.delete(other);
    }
    return 'OK';
  }

  /** A model of its own in the same state. */
  clone(): Model {
    const twin = Object.create(Model.prototype) as Model;
    return Object.assign(twin, { slots: new Map(this.slots), events: [] });
  }

  at(place: Place): Holding | undefined {
    return this.slots.get(nameOf(place));
  }

  /** Everything that some slot names. */
  things(): Thing[] {
    return [...new Set([...this.slots.values()].map(({ thing }) => thing))];
  }

  /** Whether some capability covers a byte of [`base`, `base` + `bytes`). */
  isCovered(base: number, bytes: number): boolean {
    return this.things().some((thing) => thing.table === undefined && overlaps(thing, base, bytes));
  }

  /** The last capability of `thing` is gone: so is what hangs on it and what is in it. */
  private die(thing: Thing): void {
    if (thing.type === 'Dispatcher') this.events.push(`dispatcher ${thing.base} died`);
    if (thing.type.startsWith('VNode') && !thing.table) {
      this.events.push(`${thing.type} ${thing.base} died`);
    }
    if (thing.table) {
      const last = (thing.first ?? 0) + (thing.count ?? 0) - 1;
      this.events.push(`unmap ${thing.table.base} [${thing.first}..${last}]`);
    }
    for (const [name, other] of [...this.slots]) {
      const hangs =
        other.thing.parent === thing && (other.thing.table || thing.type === 'Dispatcher');
      const isIn = thing.type === 'L2CNode' && name.startsWith(`${thing.base}/`);
      const isLost = hangs || isIn || other.thing.table === thing;
      if (isLost && this.slots.has(name)) this.delete(name);
    }
  }

  /** A thing that is known already and says the same. */
  private sameAs(made: Thing): Thing | undefined {
    const fields = ['type', 'base', 'bytes'] as const;
    return this.things().find((thing) => fields.every((f) => thing[f] === made[f]));
  }
}

export function nameOf({ cnode, index }: Place): string {
  return `${cnode}/${index}`;
}

function isLimited({ rights }: Destination): boolean {
  return (rights & READ_WRITE) !== READ_WRITE;
}

function isBelow(thing: Thing, ancestor: Thing): boolean {
  for (let at = thing.parent; at !== undefined; at = at.parent) if (at === ancestor) return true;
  return false;
}

function overlaps(thing: Thing, base: number, bytes: number): boolean {
  return thing.bytes > 0 && thing.base < base + bytes && base < thing.base + thing.bytes;
}
