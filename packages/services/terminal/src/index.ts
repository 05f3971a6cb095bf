/** Entry of `@barreleye/terminal`: the serial line, shared by many sessions. */

export { parseArguments, type TerminalArguments } from './arguments.ts';
export { createHandlers } from './handlers.ts';
export type { LineResult } from './line-read.ts';
export { terminal } from './main.ts';
export { Output } from './output.ts';
export type { SerialPort } from './serial.ts';
export { type OpenPort, openSerialPort, type SerialDevice } from './serial-device.ts';
export type { ReadOptions, Session } from './session.ts';
export { TerminalCore, type TerminalMode, type TerminalOptions } from './terminal-core.ts';
export { TerminalServer } from './terminal-server.ts';
