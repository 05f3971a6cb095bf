/**
 * The program: `terminal uart16550 mode=ansi columns=80`. Whoever starts it gives it the registers
 * of the serial port and the right to its interrupt.
 */

import { unwrap } from '@barreleye/libos';
import { program, Terminal } from '@barreleye/program';
import { parseArguments } from './arguments.ts';
import { openSerialPort } from './serial-device.ts';
import { TerminalServer } from './terminal-server.ts';

export const terminal = program('terminal', function* (os) {
  const { device, ...options } = unwrap(parseArguments(os.args.slice(1)));
  yield* os.memory.reserve(0);
  const given = { device, frame: os.argCap<'DevFrame'>(0), irq: os.argCap<'IRQDest'>(1) };
  const server = new TerminalServer(os, openSerialPort(os, os.memory.vspace, given), options);
  yield* os.names.serve('terminal', Terminal, (connection) => server.accept(connection));
  yield* server.run();
});
