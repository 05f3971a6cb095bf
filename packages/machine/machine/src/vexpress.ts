/**
 * `vexpress`: an ARM Versatile Express with Cortex-A15, reduced to what the system uses.
 *
 *     0x1c09_0000  serial port (PL011, UART0 of the motherboard)
 *     0x1c0f_0000  power switch
 *     0x8000_0000  RAM, up to 2 GiB
 *
 * Source: ARM DUI 0447J, table 4-1 (the motherboard's peripherals), for the UART and the RAM.
 */

import { asPaddr } from '@barreleye/core';
import { archArmv7, DeviceClass } from '@barreleye/spec';
import type { Board } from './board.ts';

const MIB = 2 ** 20;
const RAM_BASE = 0x8000_0000;

export const boardVexpress: Board = {
  name: 'vexpress',
  arch: archArmv7,
  frequency: 1_000_000_000,
  minRamBytes: 8 * MIB,
  defaultRamBytes: 256 * MIB,
  maxRamBytes: 2048 * MIB,
  maxCores: 4,
  ramRanges: (ramBytes) => [{ base: asPaddr(RAM_BASE), bytes: ramBytes }],
  devices: [
    { name: 'serial0', class: DeviceClass.UartPl011, base: 0x1c09_0000, bytes: 0x1000, irq: 5 },
    { name: 'power', class: DeviceClass.Power, base: 0x1c0f_0000, bytes: 0x1000, irq: 0 },
  ],
};
