/** What a transport over a channel answers, and whom it tells. */

import { type Capref, capref } from '@barreleye/libos';
import { ReceiveResult, SendResult } from '@barreleye/rpc';
import { describe, expect, it } from 'vitest';
import type { CapCourier } from './cap-courier.ts';
import { UmpEnd, umpChannelBytes } from './end.ts';
import { UmpPoller } from './poller.ts';
import { UmpTransport } from './transport.ts';
import { SharedWords } from './words.ts';

const WORDS = Uint32Array.of(1, 2, 3);
const CAP = capref<'Frame'>(4, 9);

interface Pair {
  readonly poller: UmpPoller;
  readonly client: UmpTransport;
  readonly server: UmpTransport;
}

function create(couriers: readonly CapCourier[] = [], onWork?: () => void): Pair {
  const slotCount = 2;
  const words = new SharedWords(new Int32Array(new SharedArrayBuffer(umpChannelBytes(slotCount))));
  const poller = new UmpPoller(onWork === undefined ? {} : { onWork });
  const [client, server] = (['client', 'server'] as const).map(
    (side, i) => new UmpTransport(new UmpEnd(words, 0, side, { slotCount }), poller, couriers[i]),
  );
  return { poller, client: client!, server: server! };
}

const send = (transport: UmpTransport, cap?: Capref): SendResult =>
  transport.trySend(WORDS, 3, cap, true);
const into = new Uint32Array(14);

/** Counts how often it is told. */
class Counter {
  count = 0;
  ready(): void {
    this.count += 1;
  }
}

describe('a transport', () => {
  it('carries words, is busy when its ring is full, and has nothing when it is empty', () => {
    const { client, server } = create();
    expect([client.maxWords, server.tryReceive(into)]).toEqual([14, ReceiveResult.Nothing]);
    expect([send(client), send(client), send(client)]).toEqual([0, 0, SendResult.Busy]);
    expect([server.tryReceive(into), into[2], server.receivedCap]).toEqual([3, 3, undefined]);
    expect([send(client), server.tryReceive(into), server.tryReceive(into)]).toEqual([0, 3, 3]);
    expect([server.tryReceive(into), client.isDead]).toEqual([ReceiveResult.Nothing, false]);
  });

  it('is rung for room, too, if somebody begins to wait for it while another thread sleeps', () => {
    const slotCount = 2;
    const buffer = new SharedArrayBuffer(umpChannelBytes(slotCount));
    const words = new SharedWords(new Int32Array(buffer));
    const poller = new UmpPoller();
    let rings = 0;
    const ringDoorbell = (): number => (rings += 1);
    const client = new UmpTransport(new UmpEnd(words, 0, 'client', { slotCount }), poller);
    const end = new UmpEnd(words, 0, 'server', { slotCount, ringDoorbell });
    const server = new UmpTransport(end, new UmpPoller());
    const [message, room] = [new Counter(), new Counter()];
    client.whenReceivable(message);
    expect(poller.lieDown()).toBe(true);
    expect([send(client), send(client), send(client)]).toEqual([0, 0, SendResult.Busy]);
    client.whenSendable(room);
    expect([server.tryReceive(into), server.tryReceive(into)]).toEqual([3, 3]);
    expect(rings).toBe(1);
    poller.getUp();
    poller.poll();
    expect([room.count, message.count]).toEqual([1, 0]);
  });

  it('lets sleep who waits for the end of the other side, whatever is there to take', () => {
    const { poller, client, server } = create();
    const end = new Counter();
    send(client);
    server.whenPeerGone(end);
    expect([poller.poll(), poller.lieDown(), end.count]).toEqual([true, true, 0]);
    poller.getUp();
    client.close();
    expect([server.hasPeer, poller.lieDown()]).toEqual([true, false]);
    poller.getUp();
    poller.poll();
    expect([end.count, server.hasPeer, server.tryReceive(into)]).toEqual([1, false, 3]);
  });

  it('wakes a poller that lies for what is there when somebody begins to wait', () => {
    const work = new Counter();
    const { poller, client, server } = create([], () => work.ready());
    poller.lieDown();
    client.whenReceivable(new Counter());
    expect(work.count).toBe(1); // somebody waits, after nobody did
    send(client);
    server.whenReceivable(new Counter());
    expect(work.count).toBe(2);
  });

  it('tells whoever waits, once, when the poller finds something', () => {
    const { poller, client, server } = create();
    const [arrival, room] = [new Counter(), new Counter()];
    expect([poller.isIdle, poller.poll()]).toEqual([true, true]);
    server.whenReceivable(arrival);
    expect([poller.isIdle, poller.lieDown()]).toEqual([false, true]);
    poller.getUp();
    poller.poll();
    expect(arrival.count).toBe(0);
    send(client);
    send(client);
    client.whenSendable(room);
    expect(poller.lieDown()).toBe(false);
    poller.getUp();
    poller.poll();
    poller.poll();
    expect([arrival.count, room.count, poller.isIdle]).toEqual([1, 0, false]);
    server.tryReceive(into);
    poller.poll();
    expect([arrival.count, room.count, poller.isIdle]).toEqual([1, 1, true]);
  });

  it('closes for both sides; what was sent before is still received', () => {
    const { poller, client, server } = create();
    const [own, other] = [new Counter(), new Counter()];
    send(client);
    client.whenReceivable(own);
    server.whenSendable(other);
    client.close();
    client.close();
    expect([own.count, client.isDead, server.isDead]).toEqual([1, true, false]);
    expect([send(client), client.tryReceive(into)]).toEqual([SendResult.Dead, ReceiveResult.Dead]);
    poller.poll();
    expect(other.count).toBe(1);
    expect([server.tryReceive(into), server.tryReceive(into)]).toEqual([3, ReceiveResult.Dead]);
    expect([server.isDead, send(server)]).toEqual([true, SendResult.Dead]);
    server.whenReceivable(other);
    server.whenSendable(other);
    poller.poll();
    client.whenReceivable(own);
    expect([other.count, own.count]).toEqual([3, 2]);
  });

  it('is dead to a sender whose ring is full, once the other side has closed', () => {
    const { client, server } = create();
    expect([send(client), send(client)]).toEqual([SendResult.Sent, SendResult.Sent]);
    server.close();
    expect(send(client)).toBe(SendResult.Dead);
  });

  it('is dead when somebody knows that the other side is', () => {
    const { client, server } = create();
    const waiter = new Counter();
    send(client);
    server.whenSendable(waiter);
    server.peerIsGone();
    expect([waiter.count, send(server)]).toEqual([1, SendResult.Dead]);
    expect([server.tryReceive(into), server.tryReceive(into)]).toEqual([3, ReceiveResult.Dead]);
  });
});

describe('a capability', () => {
  it('cannot be sent without a courier, but its words can', () => {
    const { client, server } = create();
    expect([send(client, CAP), server.tryReceive(into)]).toEqual([SendResult.CapInvalid, -1]);
    expect([send(client), server.tryReceive(into)]).toEqual([SendResult.Sent, 3]);
  });

  it('and its words are received when both are there', () => {
    const arrived: (Capref | undefined)[] = [];
    const dropped: Capref[] = [];
    let sentCount = 0;
    const courier: CapCourier = {
      send: () => ++sentCount,
      take: (number) => arrived[number],
      drop: (cap) => dropped.push(cap),
    };
    const { client, server } = create([courier, courier]);
    expect([send(client, CAP), send(client, CAP)]).toEqual([SendResult.Sent, SendResult.Sent]);
    expect([send(client, CAP), sentCount]).toEqual([SendResult.Busy, 2]);
    expect(server.tryReceive(into)).toBe(ReceiveResult.Nothing);
    arrived[1] = CAP;
    expect([server.tryReceive(into), server.receivedCap]).toEqual([3, CAP]);
    expect([server.tryReceive(into), server.receivedCap]).toEqual([-1, undefined]);
    server.dropCap(CAP);
    expect(dropped).toEqual([CAP]);
  });

  it('that is on its way is waited for without a look, also when the sender has closed', () => {
    const arrivals: (() => void)[] = [];
    let cap: Capref | undefined;
    const courier: CapCourier = {
      send: () => 1,
      take: (_, arrived) => {
        if (cap === undefined) arrivals.push(arrived);
        return cap;
      },
      drop: () => undefined,
    };
    const { poller, client, server } = create([courier, courier]);
    const waiter = new Counter();
    send(client, CAP);
    client.close();
    expect(server.tryReceive(into)).toBe(ReceiveResult.Nothing);
    server.whenReceivable(waiter);
    poller.poll();
    expect([poller.lieDown(), waiter.count, server.isDead]).toEqual([true, 0, false]);
    poller.getUp();
    cap = CAP;
    for (const arrived of arrivals) arrived();
    expect([waiter.count, server.tryReceive(into), server.receivedCap]).toEqual([1, 3, CAP]);
    expect(server.tryReceive(into)).toBe(ReceiveResult.Dead);
  });

  it('that is lost leaves its message, without it', () => {
    const courier: CapCourier = { send: () => 1, take: () => 'lost', drop: () => undefined };
    const { client, server } = create([courier, courier]);
    send(client, CAP);
    expect([server.tryReceive(into), server.receivedCap]).toEqual([3, undefined]);
  });

  it.each([SendResult.CapInvalid, SendResult.Busy])('may be refused by the courier: %d', (why) => {
    const courier: CapCourier = {
      send: () => -why,
      take: () => undefined,
      drop: () => undefined,
    };
    const { client, server } = create([courier]);
    expect([send(client, CAP), server.tryReceive(into)]).toEqual([why, ReceiveResult.Nothing]);
  });

  it('that somebody claims to have sent where there is no courier is not there', () => {
    const courier: CapCourier = { send: () => 5, take: () => undefined, drop: () => undefined };
    const { client, server } = create([courier]);
    expect(send(client, CAP)).toBe(SendResult.Sent);
    expect([server.tryReceive(into), server.receivedCap]).toEqual([3, undefined]);
  });
});
