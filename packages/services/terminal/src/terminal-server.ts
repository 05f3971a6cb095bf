/** The terminal at a serial port: what is typed goes in, what is shown goes out. */

import type { Os, Wait } from '@barreleye/libos';
import type { Connection, Terminal } from '@barreleye/program';
import type { Handlers } from '@barreleye/rpc';
import { createHandlers } from './handlers.ts';
import { Output } from './output.ts';
import type { OpenPort } from './serial-device.ts';
import { TerminalCore, type TerminalOptions } from './terminal-core.ts';

export class TerminalServer {
  private readonly os: Os;
  private readonly open: OpenPort;
  private readonly output: Output;
  private readonly core: TerminalCore;

  constructor(os: Os, open: OpenPort, options: TerminalOptions) {
    this.os = os;
    this.open = open;
    this.output = new Output(
      (byte) => open.port.send(byte),
      () => os.preempt(),
    );
    this.core = new TerminalCore((text) => this.output.put(text), options);
  }

  /** What answers the calls of a new client. */
  accept(connection: Connection): Handlers<(typeof Terminal)['methods']> {
    const { os, output } = this;
    const session = this.core.connect();
    connection.onClose(() => {
      session.close();
      os.spawnThread('shows the last of a session', output.settle(), { isDaemon: true });
    });
    return createHandlers(os.scheduler, session, output);
  }

  /** Take what is typed, for ever. */
  *run(): Wait<never> {
    const { os, open, core, output } = this;
    for (;;) {
      const byte = open.port.receive();
      if (byte < 0) {
        yield* os.receive(open.interrupts);
        continue;
      }
      core.receive(byte);
      yield* output.settle();
      yield* os.preempt(); // a port may have bytes without end
    }
  }
}
