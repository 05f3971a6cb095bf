/**
 * Registers of the devices that boards have, by the manuals' names: the model in `machine` and the
 * drivers in user space read the same table. Offsets are bytes.
 */

/** What a device is; the boot information tells init. */
export const DeviceClass = { None: 0, Uart16550: 1, UartPl011: 2, Power: 3 } as const;
export type DeviceClass = (typeof DeviceClass)[keyof typeof DeviceClass];

/**
 * 16550 UART with registers four bytes apart ("reg-shift 2" in device trees). Where an offset has
 * two names the first is for reading, the second for writing. TI PC16550D data sheet, section 8.
 */
export const Uart16550Reg = {
  RBR_THR: 0x00, // receive buffer, transmit holding
  IER: 0x04, //     interrupt enable
  IIR_FCR: 0x08, // interrupt identification, FIFO control
  LCR: 0x0c,
  MCR: 0x10,
  LSR: 0x14, //     line status
  MSR: 0x18,
  SCR: 0x1c,
} as const;

/** Bits of the 16550's registers. */
export const Uart16550Bit = {
  LSR_DR: 0x01, //   data ready
  LSR_THRE: 0x20, // transmit holding register empty
  LSR_TEMT: 0x40, // transmitter empty
  IER_ERBFI: 0x01, // interrupt when data is received
} as const;

/** PL011 UART. ARM DDI 0183G, table 3-1. */
export const UartPl011Reg = {
  UARTDR: 0x000,
  UARTFR: 0x018,
  UARTIBRD: 0x024,
  UARTFBRD: 0x028,
  UARTLCR_H: 0x02c,
  UARTCR: 0x030,
  UARTIMSC: 0x038,
  UARTRIS: 0x03c,
  UARTMIS: 0x040,
  UARTICR: 0x044,
} as const;

/** Bits of the PL011's registers. ARM DDI 0183G, 3.3. */
export const UartPl011Bit = {
  FR_RXFE: 0x10, // receive FIFO empty
  FR_TXFF: 0x20, // transmit FIFO full
  FR_TXFE: 0x80, // transmit FIFO empty
  INT_RX: 0x10, //  receive interrupt, in UARTIMSC, UARTRIS, UARTMIS and UARTICR
} as const;

/** Power switch: the only register. Writing turns the machine off with that exit code, 0-255. */
export const PowerReg = { OFF: 0x0 } as const;
