/** The interface `Terminal` over a transport in memory: clients, and who sits at the keyboard. */

import { decodeUtf8, encodeUtf8, OK } from '@barreleye/core';
import type { Wait } from '@barreleye/libos';
import { Terminal } from '@barreleye/program';
import { bindClient, type Client, RpcError, serve } from '@barreleye/rpc';
import { Loop, type MemoryTransport, memoryPair } from '@barreleye/rpc/testing';
import { describe, expect, it } from 'vitest';
import { createHandlers, Output, TerminalCore } from '../src/index.ts';
import { CTRL_C, PLAIN_READ } from './desk.ts';

type TerminalClient = Client<(typeof Terminal)['methods']>;

/** A terminal that serves, and what it has sent to its serial port. */
class Service {
  readonly loop = new Loop();
  readonly served: number[] = [];
  private readonly bytes: number[] = [];
  private readonly output: Output;
  private readonly core: TerminalCore;

  constructor() {
    this.output = new Output(
      (byte) => this.bytes.push(byte),
      function* () {
        yield; // others run
      },
    );
    this.core = new TerminalCore((text) => this.output.put(text), { mode: 'plain' });
  }

  get sent(): string {
    return decodeUtf8(this.bytes);
  }

  /** Have `main` run as a client; it may end its connection. */
  connect(main: (terminal: TerminalClient, connection: MemoryTransport) => Wait<void>): void {
    const { loop } = this;
    const [here, there] = memoryPair(9, 2);
    loop.create('server', this.serveOnce(there));
    loop.create(
      'client',
      (function* () {
        yield* main(yield* bindClient(loop, here, Terminal), here);
        here.close();
      })(),
    );
  }

  /** Type text and let everybody run. @returns what threads wait for */
  type(text: string): string[] {
    for (const byte of encodeUtf8(text)) this.core.receive(byte);
    return this.loop.run();
  }

  private *serveOnce(transport: MemoryTransport): Wait<void> {
    const session = this.core.connect();
    const handlers = createHandlers(this.loop, session, this.output);
    const onEnd = (): void => session.close();
    this.served.push(yield* serve(this.loop, transport, Terminal, handlers, { onEnd }));
  }
}

describe('a client', () => {
  it('writes, reads lines and hears that the input has ended', () => {
    const service = new Service();
    const got: unknown[] = [];
    service.connect(function* (terminal) {
      yield* terminal.write({ text: 'héllo\nname' });
      yield* terminal.flush({});
      got.push(yield* terminal.readLine({ ...PLAIN_READ, prompt: ': ' }));
      got.push(yield* terminal.readLine(PLAIN_READ));
    });
    expect(service.type('ü\r')).toContain('terminal.readLine: a line');
    expect(service.type('\u0004')).toEqual([]);
    expect(got).toEqual([
      { kind: 'line', text: 'ü', cursor: 1 },
      { kind: 'end', text: '', cursor: 0 },
    ]);
    expect(service.sent).toBe('héllo\r\nname: ü\r\n> \r\n');
    expect(service.served).toEqual([OK]);
  });

  it('has its text on the line before it hears that it is written', () => {
    const service = new Service();
    let seen = '';
    const text = `${'long line\n'.repeat(200)}`;
    service.connect(function* (terminal) {
      yield* terminal.write({ text });
      seen = service.sent;
    });
    service.connect(function* (terminal) {
      yield* terminal.write({ text: 'short\n' });
    });
    expect(service.type('')).toEqual([]);
    expect(seen.replace('short\r\n', '')).toBe(text.replaceAll('\n', '\r\n'));
  });

  it('gets lines as long as they may be', () => {
    const service = new Service();
    const line = 'x'.repeat(4096);
    let got = '';
    service.connect(function* (terminal) {
      const { text } = yield* terminal.readLine({ ...PLAIN_READ, canComplete: true });
      const again = { line: text, cursor: text.length };
      got = (yield* terminal.readLine({ ...PLAIN_READ, ...again })).text;
    });
    service.type(`${line}\t`);
    expect(service.type('\r')).toEqual([]);
    expect(got).toBe(line);
  });

  it('hears of Ctrl-C while another reads', () => {
    const service = new Service();
    const log: string[] = [];
    service.connect(function* (terminal) {
      yield* terminal.awaitInterrupt({});
      log.push('interrupted');
    });
    service.connect(function* (terminal) {
      log.push((yield* terminal.readLine(PLAIN_READ)).kind);
    });
    service.type('');
    expect(service.type(`abc${CTRL_C}`)).toEqual([]);
    expect(log.toSorted()).toEqual(['cancelled', 'interrupted']);
    expect(service.sent).toBe('> abc^C\r\n');
  });

  it('that goes while it reads and waits takes nothing with it', () => {
    const service = new Service();
    const log: string[] = [];
    service.connect(function* (terminal, connection) {
      yield* terminal.write({ text: 'unfinished' });
      for (const call of [terminal.readLine(PLAIN_READ), terminal.awaitInterrupt({})]) {
        service.loop.create('caller', heard(call));
      }
      while (!service.sent.includes('>')) yield;
      connection.close();
    });
    function* heard(call: Wait<unknown>): Wait<void> {
      try {
        yield* call;
      } catch (error) {
        log.push(error instanceof RpcError ? 'closed' : 'failed');
      }
    }
    expect(service.type('')).toEqual([]);
    service.connect(function* (terminal) {
      log.push((yield* terminal.readLine({ ...PLAIN_READ, prompt: 'next> ' })).text);
    });
    expect(service.type(`${CTRL_C}ok\r`)).toEqual([]);
    expect(log).toEqual(['closed', 'closed', 'ok']);
    expect(service.served).toEqual([OK, OK]);
    expect(service.sent).toBe('unfinished> \r\nnext> ok\r\n');
  });
});
