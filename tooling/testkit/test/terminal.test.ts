/** The terminal at the serial port of a machine, its clients over channels, on every target. */

import { decodeUtf8, encodeUtf8 } from '@barreleye/core';
import { createMemory, readBootInfo } from '@barreleye/init';
import {
  capRetype,
  capref,
  irqAllocate,
  type Os,
  program,
  TASK_IRQ_TABLE,
  unwrap,
  type Wait,
} from '@barreleye/libos';
import { channelPair } from '@barreleye/lmp';
import { Terminal } from '@barreleye/program';
import { bindClient, type Client, serve } from '@barreleye/rpc';
import { DeviceClass, RootSlot } from '@barreleye/spec';
import { openSerialPort, TerminalServer } from '@barreleye/terminal';
import { describe, expect, test } from 'vitest';
import { boot, checkEveryEntry, TARGETS, type TestTarget, withProgram } from '../src/index.ts';

type TerminalClient = Client<(typeof Terminal)['methods']>;
type Open = () => Wait<{ client: TerminalClient; close: () => void }>;

const READ = { line: '', cursor: 0, canComplete: false, hasHistory: true };

/** Find the serial port, take it over and have a terminal serve there. */
function* startTerminal(os: Os, bootInfoAt: number, target: TestTarget): Wait<Open> {
  const info = readBootInfo(os.sys.cpu, bootInfoAt);
  const { vspace } = createMemory(os, info, target.target.paging);
  const classes: readonly DeviceClass[] = [DeviceClass.Uart16550, DeviceClass.UartPl011];
  const region = info.regions.find(({ device }) => classes.includes(device));
  if (region === undefined) throw new Error('the machine has no serial port');
  const registers = capref<'PhysAddr'>(RootSlot.PhysAddrCn, region.slot);
  const range = { offset: 0, objectBytes: region.bytes, count: 1 };
  const frame = unwrap(capRetype(os.sys, os.allocSlot(), registers, 'DevFrame', range));
  const irq = unwrap(irqAllocate(os.sys, os.allocSlot(), TASK_IRQ_TABLE, region.irq));
  const port = openSerialPort(os, vspace, { device: region.device, frame, irq });
  const server = new TerminalServer(os, port, { mode: 'plain' });
  os.spawnThread('keyboard', server.run());
  yield* os.preempt();
  return function* open() {
    const [here, there] = channelPair(os);
    const callbacks: (() => void)[] = [];
    const handlers = server.accept({ onClose: (callback) => void callbacks.push(callback) });
    const options = { onEnd: () => callbacks[0]?.() };
    os.spawnThread('server', serve(os.scheduler, there, Terminal, handlers, options));
    const client = yield* bindClient(os.scheduler, here, Terminal);
    return { client, close: () => here.close() };
  };
}

describe.each(TARGETS)('the terminal on $name', (target) => {
  test('shows text, has lines edited, and hands Ctrl-C to who waits for it', () => {
    const log: string[] = [];
    const tester = program('tester', function* (os, bootInfoAt) {
      const open = yield* startTerminal(os, bootInfoAt, target);
      const [first, second, third] = [yield* open(), yield* open(), yield* open()];
      yield* first.client.write({ text: 'Grüße\nname' });
      log.push((yield* first.client.readLine({ ...READ, prompt: ': ' })).text);
      os.spawnThread('waits', heard(first.client.awaitInterrupt({}), 'interrupted'));
      os.spawnThread('reads', heard(second.client.readLine({ ...READ, prompt: '? ' }), 'read'));
      yield* os.sleep(1_000_000);
      yield* third.client.write({ text: `${'.'.repeat(999)}\nlast words` });
      third.close();
    });
    function* heard(call: Wait<unknown>, what: string): Wait<void> {
      yield* call;
      log.push(what);
    }

    const { machine } = boot(withProgram(target, tester), { wrapDriver: checkEveryEntry });
    const shown: number[] = [];
    machine.console.transmit = (byte) => shown.push(byte);
    const type = (text: string): void => {
      for (const byte of encodeUtf8(text)) machine.console.receive(byte);
      machine.run(1e9);
      expect(machine.programFailures.map(({ error }) => error)).toEqual([]);
    };
    type('');
    type('böb\b');
    type('b\r');
    expect(log).toEqual(['böb']);
    expect(decodeUtf8(shown)).toContain('last words\r\n');
    type('x');
    type('\u0003');
    expect(log.toSorted()).toEqual(['böb', 'interrupted', 'read']);
    const rows = decodeUtf8(shown).replaceAll('b\b \bb', 'b').split('\r\n');
    expect(rows).toEqual([
      'Grüße',
      'name: böb',
      '? ',
      '.'.repeat(999),
      '? ',
      'last words',
      '? x^C',
      '',
    ]);
  });
});
