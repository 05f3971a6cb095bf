/**
 * `pc32`: a 32-bit PC, reduced to what the system uses. Everything lies below 4 GiB, where page
 * tables without PAE can reach it, and the root of those with PAE.
 *
 *     0x0000_0000  firmware, not handed to the system
 *     0x0010_0000  RAM, up to 3 GiB of it
 *     0xf000_0000  devices: 0xf000_1000 serial port (16550), 0xf000_2000 power switch
 */

import { asPaddr } from '@barreleye/core';
import { archX86_32, DeviceClass } from '@barreleye/spec';
import type { Board } from './board.ts';

const MIB = 2 ** 20;
const RAM_BASE = 0x10_0000;

export const boardPc32: Board = {
  name: 'pc32',
  arch: archX86_32,
  frequency: 1_000_000_000,
  minRamBytes: 8 * MIB,
  defaultRamBytes: 256 * MIB,
  maxRamBytes: 3072 * MIB,
  maxCores: 8,
  ramRanges: (ramBytes) => [{ base: asPaddr(RAM_BASE), bytes: ramBytes }],
  devices: [
    { name: 'serial0', class: DeviceClass.Uart16550, base: 0xf000_1000, bytes: 0x1000, irq: 4 },
    { name: 'power', class: DeviceClass.Power, base: 0xf000_2000, bytes: 0x1000, irq: 0 },
  ],
};
