/**
 * `pc64`: a 64-bit PC, reduced to what the system uses.
 *
 *     0x0000_0000  firmware, not handed to the system
 *     0x0010_0000  RAM, up to address 3 GiB
 *     0xfe00_0000  devices: 0xfe00_1000 serial port (16550), 0xfe00_2000 power switch
 *     4 GiB        the rest of RAM
 */

import { asPaddr } from '@barreleye/core';
import { archX86_64, DeviceClass } from '@barreleye/spec';
import type { Board } from './board.ts';

const MIB = 2 ** 20;
const GIB = 2 ** 30;
const RAM_BASE = 0x10_0000;
/** RAM below this address comes first. */
const LOW_RAM_END = 3 * GIB;
const HIGH_RAM_BASE = 4 * GIB;

export const boardPc64: Board = {
  name: 'pc64',
  arch: archX86_64,
  frequency: 1_000_000_000,
  minRamBytes: 8 * MIB,
  defaultRamBytes: 256 * MIB,
  maxRamBytes: 8 * GIB,
  maxCores: 64,
  ramRanges(ramBytes) {
    const lowBytes = Math.min(ramBytes, LOW_RAM_END - RAM_BASE);
    const ranges = [{ base: asPaddr(RAM_BASE), bytes: lowBytes }];
    if (ramBytes > lowBytes) {
      ranges.push({ base: asPaddr(HIGH_RAM_BASE), bytes: ramBytes - lowBytes });
    }
    return ranges;
  },
  devices: [
    { name: 'serial0', class: DeviceClass.Uart16550, base: 0xfe00_1000, bytes: 0x1000, irq: 4 },
    { name: 'power', class: DeviceClass.Power, base: 0xfe00_2000, bytes: 0x1000, irq: 0 },
  ],
};
