/**
 * The power switch: a device with one register. Writing it turns the machine off; the value is the
 * exit code that the host reports. Modelled on the test finishers of emulated boards.
 */

import { PowerReg } from '@barreleye/spec';
import type { Device } from './device.ts';

export class PowerSwitch implements Device {
  private readonly turnOff: (exitCode: number) => void;

  constructor(turnOff: (exitCode: number) => void) {
    this.turnOff = turnOff;
  }

  load(_offset: number, _bytes: number): number {
    return 0;
  }

  store(offset: number, value: number, _bytes: number): void {
    if (offset === PowerReg.OFF) this.turnOff(value & 0xff);
  }
}
