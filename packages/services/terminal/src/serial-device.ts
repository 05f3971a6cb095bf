/** Taking a serial port over: its registers mapped, its interrupt delivered to an endpoint. */

import {
  type Capref,
  capIdentify,
  type Endpoint,
  irqConnect,
  type Os,
  unwrap,
} from '@barreleye/libos';
import type { Vspace } from '@barreleye/paging';
import { type DeviceClass, PageFlag } from '@barreleye/spec';
import { createSerialPort, type SerialPort } from './serial.ts';

/** Words of the endpoint that takes the port's interrupts; each takes one. */
const IRQ_RING_WORDS = 16;

/** What the owner of a serial port has been given. */
export interface SerialDevice {
  readonly device: DeviceClass;
  /** Its registers. */
  readonly frame: Capref<'DevFrame'>;
  readonly irq: Capref<'IRQDest'>;
}

/** A serial port at work. */
export interface OpenPort {
  readonly port: SerialPort;
  /** Gets a message without words when the port has received something. */
  readonly interrupts: Endpoint;
}

/**
 * Map the registers and have the interrupt delivered. Throws OsError.
 * @param vspace of this domain, with memory for page tables
 */
export function openSerialPort(
  os: Os,
  vspace: Vspace,
  { device, frame, irq }: SerialDevice,
): OpenPort {
  const { sys } = os;
  const { bytes } = unwrap(capIdentify(sys, frame));
  const flags = PageFlag.Read | PageFlag.Write | PageFlag.NoCache;
  const { base } = unwrap(vspace.map({ frame, bytes, flags, name: 'serial port' }));
  const port = createSerialPort(sys.cpu, device, base);
  const endpoint = os.createEndpoint(IRQ_RING_WORDS);
  os.check(irqConnect(sys, irq, endpoint.cap));
  port.enableInterrupt();
  return { port, interrupts: endpoint.buffer };
}
