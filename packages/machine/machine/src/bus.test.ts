/** The bus: RAM, device windows, and holes that are bus errors. */

import { asPaddr, KernelPanic, type Paddr, PhysMem, paddr } from '@barreleye/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BUS_ERROR, Bus } from './bus.ts';
import type { Device } from './device.ts';

const PAGE = 4096;
/** Two regions of RAM with a hole between, in one memory. */
const LOW = 0x1_0000;
const LOW_BYTES = 4 * PAGE;
const HIGH = 0x2_0000;
const HIGH_BYTES = 2 * PAGE;
const WINDOW = 0x1_8000;

/** Four registers that remember what was done to them. */
class Registers implements Device {
  readonly log: string[] = [];
  value = 0;

  load(offset: number, bytes: number): number {
    this.log.push(`load${8 * bytes} ${offset}`);
    return this.value;
  }

  store(offset: number, value: number, bytes: number): void {
    this.log.push(`store${8 * bytes} ${offset} ${value}`);
  }
}

function create(): { bus: Bus; mem: PhysMem; device: Registers } {
  const mem = new PhysMem(new ArrayBuffer(HIGH + HIGH_BYTES - LOW), LOW);
  const bus = new Bus(mem, [
    { base: paddr(LOW), bytes: LOW_BYTES },
    { base: paddr(HIGH), bytes: HIGH_BYTES },
  ]);
  const device = new Registers();
  bus.attach(device, paddr(WINDOW), 16);
  return { bus, mem, device };
}

const at = (n: number): Paddr => asPaddr(n);

describe('RAM on the bus', () => {
  it.each([LOW, LOW + LOW_BYTES - 4, HIGH, HIGH + HIGH_BYTES - 4])(
    'is loaded and stored at every width (%#)',
    (base) => {
      const { bus, mem } = create();
      expect(bus.store(at(base), 0xfedc_ba98, 4)).toBe(true);
      expect(bus.load(at(base), 4)).toBe(0xfedc_ba98);
      expect([0, 1, 2, 3].map((i) => bus.load(at(base + i), 1))).toEqual([0x98, 0xba, 0xdc, 0xfe]);
      expect([0, 2].map((i) => bus.load(at(base + i), 2))).toEqual([0xba98, 0xfedc]);
      expect(bus.store(at(base + 1), 0x1_77, 1)).toBe(true);
      expect(bus.store(at(base + 2), 0x1_6655, 2)).toBe(true);
      expect(mem.load32(at(base))).toBe(0x6655_7798);
    },
  );

  it('never reads as a bus error, whatever it holds', () => {
    const { bus } = create();
    bus.store(at(LOW), -1, 4);
    expect(bus.load(at(LOW), 4)).toBe(0xffff_ffff);
    expect(bus.load(at(LOW), 4)).not.toBe(BUS_ERROR);
  });

  it('is told apart from holes to the byte', () => {
    const { bus } = create();
    expect(bus.isRam(LOW, LOW_BYTES)).toBe(true);
    expect(bus.isRam(LOW, LOW_BYTES + 1)).toBe(false);
    expect(bus.isRam(LOW - 1, 2)).toBe(false);
    expect(bus.isRam(HIGH, HIGH_BYTES)).toBe(true);
    expect(bus.isRam(HIGH - 1, 1)).toBe(false);
    expect(bus.isRam(HIGH + HIGH_BYTES - 2, 4)).toBe(false);
    expect(bus.isRam(LOW + LOW_BYTES - PAGE, HIGH - LOW - LOW_BYTES + 2 * PAGE)).toBe(false);
  });
});

describe('a hole', () => {
  it.each([0, LOW - 4, LOW + LOW_BYTES, HIGH - 4, HIGH + HIGH_BYTES, 2 ** 51])(
    'is a bus error to loads and stores, and keeps nothing (%#)',
    (hole) => {
      const { bus, mem } = create();
      const before = mem.read(paddr(LOW), mem.bytes);
      for (const bytes of [1, 2, 4]) {
        expect(bus.store(at(hole), 0x1234_5678, bytes)).toBe(false);
        expect(bus.load(at(hole), bytes)).toBe(BUS_ERROR);
      }
      expect(mem.read(paddr(LOW), mem.bytes)).toEqual(before);
    },
  );

  it('is where an access ends that begins at the last byte of RAM', () => {
    const { bus } = create();
    expect(bus.load(at(LOW + LOW_BYTES - 2), 4)).toBe(BUS_ERROR);
    expect(bus.store(at(LOW + LOW_BYTES - 1), 0, 2)).toBe(false);
  });
});

describe('a device window', () => {
  it('passes on offset, width and value', () => {
    const { bus, device } = create();
    device.value = 0x55;
    expect(bus.load(at(WINDOW + 12), 4)).toBe(0x55);
    expect(bus.load(at(WINDOW), 1)).toBe(0x55);
    expect(bus.store(at(WINDOW + 2), 7, 2)).toBe(true);
    expect(device.log).toEqual(['load32 12', 'load8 0', 'store16 2 7']);
  });

  it('cannot be mistaken for a bus error, even if the device answers with all ones', () => {
    const { bus, device } = create();
    device.value = -1;
    expect(bus.load(at(WINDOW), 4)).toBe(0xffff_ffff);
  });

  it('ends where it ends', () => {
    const { bus, device } = create();
    expect(bus.load(at(WINDOW + 16), 1)).toBe(BUS_ERROR);
    expect(bus.load(at(WINDOW - 1), 1)).toBe(BUS_ERROR);
    expect(bus.load(at(WINDOW + 14), 4)).toBe(BUS_ERROR);
    expect(device.log).toEqual([]);
  });

  it.each([
    ['RAM', LOW + LOW_BYTES - 1],
    ['the other RAM', HIGH + HIGH_BYTES - 1],
    ['another device', WINDOW + 15],
    ['another device from below', WINDOW - 31],
    ['another device as a whole', WINDOW + 4],
  ])('may not overlap %s', (_, base) => {
    const { bus } = create();
    expect(() => bus.attach(new Registers(), at(base), 32)).toThrow(KernelPanic);
  });

  it('may touch RAM and other devices', () => {
    const { bus, device } = create();
    const below = new Registers();
    const above = new Registers();
    bus.attach(below, at(WINDOW - 32), 32);
    bus.attach(above, at(WINDOW + 16), HIGH - WINDOW - 16);
    bus.load(at(WINDOW - 1), 1);
    bus.load(at(WINDOW), 1);
    bus.load(at(HIGH - 1), 1);
    expect([below.log, device.log, above.log]).toEqual([
      ['load8 31'],
      ['load8 0'],
      [`load8 ${HIGH - WINDOW - 17}`],
    ]);
  });
});

describe('a bus', () => {
  it('needs RAM, all of it inside the memory', () => {
    const mem = new PhysMem(new ArrayBuffer(PAGE), LOW);
    expect(() => new Bus(mem, [])).toThrow('a machine needs RAM');
    const wide = [{ base: paddr(LOW), bytes: PAGE + 1 }];
    expect(() => new Bus(mem, wide)).toThrow('a RAM region lies outside the memory');
    const low = [{ base: paddr(LOW - PAGE), bytes: PAGE }];
    expect(() => new Bus(mem, low)).toThrow('a RAM region lies outside the memory');
  });

  it('answers at every address as exactly one of RAM, device and nobody (seed 3)', () => {
    const { bus, device } = create();
    const regions = [
      [LOW, LOW_BYTES],
      [WINDOW, 16],
      [HIGH, HIGH_BYTES],
    ] as const;
    const near = fc
      .tuple(fc.constantFrom(...regions), fc.boolean(), fc.integer({ min: -8, max: 8 }))
      .map(([[base, bytes], isEnd, off]) => base + (isEnd ? bytes : 0) + off);
    const width = fc.constantFrom(1, 2, 4);
    const property = fc.property(near, width, (address, bytes) => {
      const home = regions.find(([base, n]) => address >= base && address + bytes <= base + n);
      device.log.length = 0;
      const isStored = bus.store(at(address), 1, bytes);
      const loaded = bus.load(at(address), bytes);
      expect(isStored).toBe(home !== undefined);
      if (home === undefined) expect(loaded).toBe(BUS_ERROR);
      else expect(loaded).toBe(home[0] === WINDOW ? 0 : 1);
      expect(device.log.length).toBe(home?.[0] === WINDOW ? 2 : 0);
      expect(bus.isRam(address, bytes)).toBe(home !== undefined && home[0] !== WINDOW);
    });
    fc.assert(property, { seed: 3, numRuns: 300 });
  });
});
