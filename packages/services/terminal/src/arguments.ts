/** The arguments of the program: which serial port it drives, and what the screen understands. */

import { fail, type Result, succeed } from '@barreleye/core';
import { DeviceClass, Err } from '@barreleye/spec';
import type { TerminalOptions } from './terminal-core.ts';

/** What the arguments say. */
export interface TerminalArguments extends TerminalOptions {
  readonly device: DeviceClass;
}

const DEVICES: ReadonlyMap<string, DeviceClass> = new Map([
  ['uart16550', DeviceClass.Uart16550],
  ['pl011', DeviceClass.UartPl011],
]);

/**
 * Read `uart16550` or `pl011`, and then any of `mode=plain`, `mode=ansi`, `columns=80`. Of what is
 * said twice, the last counts.
 * @param args without the name of the program
 * @errors LIB_ERR_BAD_INPUT
 */
export function parseArguments(args: readonly string[]): Result<TerminalArguments> {
  const [name = '', ...rest] = args;
  const device = DEVICES.get(name);
  if (device === undefined) return fail(Err.LIB_ERR_BAD_INPUT);
  let parsed: TerminalArguments = { device, mode: 'plain', columns: undefined };
  for (const arg of rest) {
    const columns = /^columns=([1-9][0-9]{0,3})$/.exec(arg)?.[1];
    if (arg === 'mode=plain' || arg === 'mode=ansi') {
      parsed = { ...parsed, mode: arg === 'mode=ansi' ? 'ansi' : 'plain' };
    } else if (columns !== undefined && columns !== '1') {
      parsed = { ...parsed, columns: Number(columns) };
    } else return fail(Err.LIB_ERR_BAD_INPUT);
  }
  return succeed(parsed);
}
