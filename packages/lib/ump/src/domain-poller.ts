/**
 * The poller of a domain: a thread that looks whenever the dispatcher is entered, and sleeps while
 * nobody waits. It looks as a thread, not as the dispatcher: memory that was taken away is then a
 * page fault of that thread, which it survives.
 */

import { type Endpoint, type Os, SendRetry, type Wait } from '@barreleye/libos';
import { Parking, yieldCore } from '@barreleye/rpc';
import { UmpPoller } from './poller.ts';

/** A poller for the transports of a domain over mapped frames, and the thread that runs it. */
export function createDomainPoller(os: Os): UmpPoller {
  const work = new Parking(os.scheduler, 'somebody to wait for a message from another core');
  const poller = new UmpPoller({
    later: (step) => void os.spawnThread('closes a channel', runStep(os, step)),
    onWork: () => work.ready(),
  });
  os.spawnThread('polls channels', pollForever(os, poller, work), { isDaemon: true });
  return poller;
}

/**
 * The same for a domain that other cores notify: it sleeps until `bell` gets a message, which
 * `ringDoorbell` of the other ends must cause.
 */
export function createRungPoller(os: Os, bell: Endpoint): UmpPoller {
  const work = new Parking(os.scheduler, 'a bell');
  const poller = new UmpPoller({
    later: (step) => void os.spawnThread('closes a channel', runStep(os, step)),
    onWork: () => work.ready(),
  });
  os.spawnThread('answers the bell', pollRung(os, poller, work, bell), { isDaemon: true });
  return poller;
}

function* pollRung(os: Os, poller: UmpPoller, work: Parking, bell: Endpoint): Wait<void> {
  for (;;) {
    if (!poller.poll()) {
      yield* yieldCore();
      continue;
    }
    if (poller.lieDown()) {
      work.park();
      bell.received.whenReady(work);
      yield;
      bell.received.deregister();
      while (bell.tryReceive() !== undefined);
    } else if (os.sys.cpu.isLive()) {
      yield* os.giveWay(); // to those who have something to take
    } else {
      yield* yieldCore();
    }
    while (!poller.getUp()) yield* yieldCore();
  }
}

function* pollForever(os: Os, poller: UmpPoller, work: Parking): Wait<void> {
  const entry = new SendRetry(os.events, 'a message from another core');
  for (;;) {
    if (!poller.poll()) {
      yield* yieldCore();
    } else if (poller.isIdle) {
      work.park();
      yield;
    } else {
      entry.refused();
      yield* entry.source.wait();
    }
  }
}

function* runStep(os: Os, step: () => void): Wait<void> {
  step();
  if (!os.sys.cpu.isLive()) yield* yieldCore();
}
