/** Finding devices in the boot information and mapping their registers. */

import { assert } from '@barreleye/core';
import { capRetype, type Os, unwrap } from '@barreleye/libos';
import { DeviceClass, PageFlag, PowerReg, RegionType } from '@barreleye/spec';
import { type BootView, deviceCap, type Region } from './boot-info.ts';
import type { Memory } from './memory.ts';

/** Where the registers of a device are mapped. */
export interface MappedDevice {
  readonly region: Region;
  readonly base: number;
}

/** Map the first device whose class is one of `classes`. */
export function mapDevice(
  os: Os,
  boot: BootView,
  memory: Memory,
  classes: readonly DeviceClass[],
): MappedDevice {
  const region = boot.regions.find(
    (r) => r.type === RegionType.PhysAddr && classes.includes(r.device),
  );
  assert(region !== undefined, 'the machine lacks a device that init needs');
  const range = { offset: 0, objectBytes: region.bytes, count: 1 };
  const frame = unwrap(capRetype(os.sys, os.allocSlot(), deviceCap(region), 'DevFrame', range));
  const flags = PageFlag.Read | PageFlag.Write | PageFlag.NoCache;
  const { base } = unwrap(
    memory.vspace.map({ frame, bytes: region.bytes, flags, name: region.name }),
  );
  return { region, base };
}

/** The power switch. */
export interface Power {
  /** Turn the machine off; the host reports `exitCode`, 0 to 255. */
  off(exitCode: number): void;
}

/** Map the power switch. */
export function createPower(os: Os, boot: BootView, memory: Memory): Power {
  const { base } = mapDevice(os, boot, memory, [DeviceClass.Power]);
  return {
    off: (exitCode) => void os.sys.cpu.store32(base + PowerReg.OFF, exitCode & 0xff),
  };
}
