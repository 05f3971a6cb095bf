/** The simulated machine: what a CPU driver may ask of it (hal), and how to build and run one. */

export type { Board, BoardDevice } from './board.ts';
export { BUS_ERROR, Bus } from './bus.ts';
export { Core, CoreMode, type CoreOptions, PENDING_WORDS } from './core.ts';
export { Cost, DistanceCost } from './costs.ts';
export type { Device, RaiseLine, SerialLine } from './device.ts';
export { type CoreHal, IrqLine, type TrapHandler } from './hal.ts';
export { Machine, type MachineOptions, type RunOutcome } from './machine.ts';
export { Mmu, type RamMap, TAG_LIMIT, TLB_ENTRIES, type Translation } from './mmu.ts';
export { packageRam } from './package-ram.ts';
export {
  attachDevices,
  type Console,
  type CoreParts,
  CoreUnit,
  type CoreWires,
  createBus,
  type DeviceWires,
  type DriverLoader,
  type Firmware,
  memoryBytes,
} from './parts.ts';
export { boardPc32 } from './pc32.ts';
export { boardPc64 } from './pc64.ts';
export { PowerSwitch } from './power.ts';
export { ProgramEngine, type ProgramFailure } from './program-engine.ts';
export { TOPOLOGIES } from './topologies.ts';
export { Uart16550 } from './uart-16550.ts';
export { UartPl011 } from './uart-pl011.ts';
export { UserPort } from './user-port.ts';
export { boardVexpress } from './vexpress.ts';
