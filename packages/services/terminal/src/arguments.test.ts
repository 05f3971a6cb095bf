/** The arguments of the program. */

import { fail, succeed } from '@barreleye/core';
import { DeviceClass, Err } from '@barreleye/spec';
import { describe, expect, it } from 'vitest';
import { parseArguments } from './arguments.ts';

describe('the arguments', () => {
  it('name the device; the screen is plain unless they say otherwise', () => {
    const plain = { device: DeviceClass.Uart16550, mode: 'plain', columns: undefined };
    expect(parseArguments(['uart16550'])).toEqual(succeed(plain));
    expect(parseArguments(['uart16550', 'mode=ansi', 'mode=plain'])).toEqual(succeed(plain));
    const ansi = { device: DeviceClass.UartPl011, mode: 'ansi', columns: 132 };
    expect(parseArguments(['pl011', 'columns=132', 'mode=ansi'])).toEqual(succeed(ansi));
  });

  it.each([
    [],
    [['power']],
    [['mode=ansi']],
    [['uart16550', 'mode=vt52']],
    [['uart16550', 'columns=1']],
    [['uart16550', 'columns=']],
    [['uart16550', 'columns=0x50']],
    [['uart16550', 'columns=10000']],
    [['uart16550', '']],
  ])('are refused when they make no sense: %j', (args: string[] = []) => {
    expect(parseArguments(args)).toEqual(fail(Err.LIB_ERR_BAD_INPUT));
  });
});
