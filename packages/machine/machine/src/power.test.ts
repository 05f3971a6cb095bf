/** The power switch. */

import { PowerReg } from '@barreleye/spec';
import { expect, it } from 'vitest';
import { PowerSwitch } from './power.ts';

function create(): { power: PowerSwitch; codes: number[] } {
  const codes: number[] = [];
  return { power: new PowerSwitch((code) => codes.push(code)), codes };
}

it('turns the machine off with the low byte of what is written', () => {
  const { power, codes } = create();
  power.store(PowerReg.OFF, 0, 4);
  power.store(PowerReg.OFF, 255, 1);
  power.store(PowerReg.OFF, 0x1_07, 2);
  expect(codes).toEqual([0, 255, 7]);
});

it('does nothing on loads and on stores elsewhere in its window', () => {
  const { power, codes } = create();
  power.store(PowerReg.OFF + 4, 1, 4);
  power.store(0xffc, 1, 4);
  expect([power.load(PowerReg.OFF, 4), power.load(8, 1)]).toEqual([0, 0]);
  expect(codes).toEqual([]);
});
