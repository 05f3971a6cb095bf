/** Threads that serve others: they keep nobody alive, and no deadlock from being seen. */

import { describe, expect, it } from 'vitest';
import { Domain } from '../test/domain.ts';
import { Mutex } from './mutex.ts';
import type { Os, Wait } from './os.ts';
import { Semaphore } from './semaphore.ts';

/** Wait for a message that never comes. */
function* listen(os: Os): Wait<void> {
  yield* os.receive(os.createEndpoint(8).buffer);
}

function* sleepAndSay(os: Os, log: string[], cycles: number, what: string): Wait<void> {
  yield* os.sleep(cycles);
  log.push(what);
}

describe('awaitOthers', () => {
  it('waits for all threads but daemons', () => {
    const domain = new Domain(function* (os, { log }) {
      os.spawnThread('daemon', listen(os), { isDaemon: true });
      os.spawnThread('slow', sleepAndSay(os, log, 200, 'slow is done'));
      os.spawnThread('fast', sleepAndSay(os, log, 100, 'fast is done'));
      yield* os.awaitOthers();
      log.push('alone');
      yield* os.awaitOthers();
      log.push('still alone');
    });
    domain.run();
    expect(domain.log).toEqual(['fast is done', 'slow is done', 'alone', 'still alone']);
    expect(domain.deadlocks).toEqual([]);
  });

  it('waits for threads that are started meanwhile', () => {
    const domain = new Domain(function* (os, { log }) {
      function* parent(): Wait<void> {
        yield* os.sleep(50);
        os.spawnThread('late', sleepAndSay(os, log, 100, 'late is done'));
      }
      os.spawnThread('parent', parent());
      yield* os.awaitOthers();
      log.push('alone');
    });
    domain.run();
    expect(domain.log).toEqual(['late is done', 'alone']);
  });
});

describe('a daemon', () => {
  it('makes daemons, unless it says otherwise', () => {
    const domain = new Domain(function* (os, { log }) {
      function* body(): Wait<void> {
        const heir = os.spawnThread('heir', listen(os));
        const worker = os.spawnThread('worker', os.giveWay(), { isDaemon: false });
        log.push(`${heir.isDaemon} ${worker.isDaemon}`);
        yield* os.giveWay();
      }
      os.spawnThread('daemon', body(), { isDaemon: true });
      yield* os.sleep(10);
    });
    domain.run();
    expect(domain.log).toEqual(['true false']);
  });

  it('that waits for messages hides no deadlock of the others, and is not in the report', () => {
    const domain = new Domain(function* (os) {
      os.spawnThread('daemon', listen(os), { isDaemon: true });
      const mutex = new Mutex(os, 'm');
      yield* mutex.lock();
      os.spawnThread('other', mutex.lock());
      yield* new Semaphore(os, 'never', 0).take();
    });
    domain.run();
    const [report = ''] = domain.deadlocks;
    expect(report.split('\n')).toEqual([
      '2 threads wait:',
      '  main waits for semaphore never',
      '  other waits for mutex m, held by main',
    ]);
  });

  it('that waits alone is no deadlock', () => {
    const domain = new Domain(function* (os) {
      os.spawnThread('daemon', new Semaphore(os, 'never', 0).take(), { isDaemon: true });
      yield* os.giveWay();
    });
    domain.run();
    expect(domain.deadlocks).toEqual([]);
  });
});

it('a thread that waits for a message is no deadlock, although others wait for it', () => {
  const domain = new Domain(function* (os) {
    const thread = os.spawnThread('listener', listen(os));
    yield* os.join(thread);
  });
  domain.run();
  expect(domain.deadlocks).toEqual([]);
});

it('a thread that sleeps may yet wake the others', () => {
  const domain = new Domain(function* (os, { log }) {
    const semaphore = new Semaphore(os, 's', 0);
    function* post(): Wait<void> {
      yield* os.sleep(100);
      semaphore.post();
    }
    os.spawnThread('poster', post(), { isDaemon: true });
    yield* semaphore.take();
    log.push('taken');
  });
  domain.run();
  expect(domain.deadlocks).toEqual([]);
  expect(domain.log).toEqual(['taken']);
});
