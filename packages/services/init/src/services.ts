/**
 * The services that make a system, and in which order they start: each when what it needs can be
 * found by name. Those that can begin anew without harm are started again when they die.
 */

import { assert } from '@barreleye/core';
import {
  type Capref,
  capRetype,
  irqAllocate,
  type Os,
  OsError,
  TASK_IRQ_TABLE,
  TASK_PROCESS_MANAGER,
  unwrap,
  type Wait,
} from '@barreleye/libos';
import { type BootView, deviceCap, findDevice, type Region } from '@barreleye/monitor';
import type { Console, DomainEnd, Names } from '@barreleye/program';
import { type CopyableTypeName, DeviceClass } from '@barreleye/spec';
import type { Domain } from './domain.ts';
import type { Init } from './main.ts';

/** Times that a service is started again. */
const MAX_RESTARTS = 3;

/** What a service gets at least, if there is as much. */
const MIN_SERVICE_BYTES = 1.5 * 2 ** 20;

/** A service, and what it is given. */
interface Service {
  readonly program: string;
  /** Names that must be served before it starts. */
  readonly needs: readonly string[];
  /** Whether all cores must have come up, or failed to. */
  readonly needsCores: boolean;
  readonly canRestart: boolean;
  /** Of what init has left, the part that it may use: one in so many. */
  readonly quotaShare: number;
  readonly args: readonly string[];
  readonly caps: readonly Capref<CopyableTypeName>[];
}

/** What the system is made of. The shell gets what is left, nearly. */
export function planServices(os: Os, boot: BootView): readonly Service[] {
  const uart = findDevice(boot, [DeviceClass.Uart16550, DeviceClass.UartPl011]);
  const power = findDevice(boot, [DeviceClass.Power]);
  const irq = unwrap(irqAllocate(os.sys, os.allocSlot(), TASK_IRQ_TABLE, uart.irq));
  // Other cores may come to need more than they have got; and what the shell starts there may start
  // domains here, with up to a quarter of what the shell has.
  const shellShare = boot.coreCount === 1 ? 1 : 4 / 3;
  const plain = { needs: [], needsCores: false, canRestart: false, args: [], caps: [] };
  return [
    { ...plain, program: 'nameservice', quotaShare: 16 },
    {
      ...plain,
      program: 'terminal',
      quotaShare: 16,
      args: [uartName(uart)],
      caps: [deviceFrame(os, uart), irq],
      canRestart: true,
    },
    {
      program: 'shell',
      needs: ['terminal'],
      needsCores: true,
      canRestart: true,
      quotaShare: shellShare,
      args: [],
      caps: [deviceFrame(os, power), TASK_PROCESS_MANAGER],
    },
  ];
}

/** What the terminal calls the kind of a serial port. */
function uartName({ device }: Region): string {
  return device === DeviceClass.UartPl011 ? 'pl011' : 'uart16550';
}

/** The registers of a device. */
function deviceFrame(os: Os, device: Region): Capref<'DevFrame'> {
  const range = { offset: 0, objectBytes: device.bytes, count: 1 };
  return unwrap(capRetype(os.sys, os.allocSlot(), deviceCap(device), 'DevFrame', range));
}

/** Starts services, and starts them again. */
export class ServiceKeeper {
  private readonly init: Init;
  private readonly names: Names;
  private readonly console: Console;
  private readonly running: Map<Domain, Service>;
  private readonly restarts: Map<Service, number>;
  /** What each got when it was first started. */
  private readonly quotas: Map<Service, number>;

  constructor(init: Init, names: Names, console: Console) {
    this.init = init;
    this.names = names;
    this.console = console;
    this.running = new Map();
    this.restarts = new Map();
    this.quotas = new Map();
  }

  /** Start each as soon as it can. Panics at once when the boot menu has not all of them. */
  startAll(services: readonly Service[]): void {
    const { programs } = this.init;
    const missing = services.map(({ program }) => program).filter((name) => !programs.has(name));
    assert(missing.length === 0, `the boot menu has no module ${missing.join(', ')}`);
    for (const service of services) {
      this.init.os.spawnThread(`starts ${service.program}`, this.start(service));
    }
  }

  /** A child of init has ended. */
  childEnded(domain: Domain, end: DomainEnd): void {
    const service = this.running.get(domain);
    this.running.delete(domain);
    this.init.os.spawnThread(`after ${domain.name}`, this.after(domain, end, service));
  }

  private *start(service: Service): Wait<void> {
    const { domains, programs, nameService, monitor } = this.init;
    if (service.needsCores) yield* monitor.peers.settled();
    for (const need of service.needs) yield* this.names.waitFor(need);
    const program = programs.get(service.program);
    assert(program !== undefined, 'the programs of all services are there');
    const { root } = domains;
    const quotaBytes = this.quotaOf(service, root.account.leftBytes);
    const args = [program.name, ...service.args, ...program.args];
    const request = { program, args, environment: [], caps: service.caps, quotaBytes };
    this.quotas.set(service, quotaBytes);
    const domain = unwrap(domains.start(root, request));
    this.running.set(domain, service);
    if (service.program === 'nameservice') nameService.provider = domain;
  }

  private *after(domain: Domain, end: DomainEnd, service: Service | undefined): Wait<void> {
    if (end.how === 'faulted') {
      yield* this.tell(`${domain.name} (domain ${domain.id}) died: ${end.report}`);
    }
    if (service === undefined) return;
    const restarts = this.restarts.get(service) ?? 0;
    if (!service.canRestart || restarts === MAX_RESTARTS) {
      yield* this.tell(`${domain.name} has ended for good`);
      return;
    }
    this.restarts.set(service, restarts + 1);
    try {
      yield* this.start(service);
    } catch (error) {
      if (!(error instanceof OsError)) throw error;
      yield* this.tell(`${domain.name} cannot be started again: ${error.message}`);
    }
  }

  private quotaOf(service: Service, leftBytes: number): number {
    const share = Math.max(Math.floor(leftBytes / service.quotaShare), MIN_SERVICE_BYTES);
    return Math.min(this.quotas.get(service) ?? share, leftBytes);
  }

  /** Say something, if there is a terminal. The one that was there before may have ended. */
  private *tell(text: string): Wait<void> {
    for (let i = 0; i < 2; i++) {
      try {
        yield* this.console.print(`init: ${text}\n`);
        return;
      } catch (error) {
        if (!(error instanceof OsError)) throw error;
      }
    }
  }
}
