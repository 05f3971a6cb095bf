/**
 * A domain of the stress test: it serves all others, and calls them. What should not be it keeps in
 * mind until it is asked. Its arguments are its number, its temper, and a seed.
 */

import { type Os, OsError, type Thread, type Wait } from '@barreleye/libos';
import { NameService, type ProgramOs, program } from '@barreleye/program';
import { bindClient, type Client, type Handlers } from '@barreleye/rpc';
import type { Temper } from './history.ts';
import { answerTo, createMessage, isWhole, type Message, prngFor, Steer, Talk } from './talk.ts';

/** Messages without an answer before one with an answer: more than any ring holds. */
const MAX_TOLD = 40;
const MAX_PAUSE_CYCLES = 200_000;
const SLOW_CYCLES = 150_000;
/** Messages after which a mortal domain has had enough. */
const MAX_LIFE = 200;

type TalkClient = Client<typeof Talk.methods>;
type NamesClient = Client<typeof NameService.methods>;
type Prng = ReturnType<typeof prngFor>;

class Talker {
  readonly os: ProgramOs;
  readonly id: number;
  readonly temper: Temper;
  readonly seed: number;
  problem: string;
  readonly dead: Set<number>;
  saidCount: number;
  heardCount: number;
  isResting: boolean;
  private readonly names: NamesClient;
  private conversationCount: number;

  constructor(os: ProgramOs, names: NamesClient) {
    const [, id, temper, seed] = os.args;
    this.os = os;
    this.names = names;
    this.id = Number(id);
    this.temper = temper as Temper;
    this.seed = Number(seed) + this.id;
    this.problem = '';
    this.dead = new Set();
    this.saidCount = 0;
    this.heardCount = 0;
    this.isResting = false;
    this.conversationCount = 0;
  }

  /** Handlers for one client: each conversation is heard from the first message on, in order. */
  handlers(): Handlers<typeof Talk.methods> {
    const heard = new Map<number, number>();
    const take = (message: Message): void => {
      const { conversation, number } = message;
      const before = heard.get(conversation) ?? 0;
      if (number !== before + 1) this.complain(`${conversation}: ${number} after ${before}`);
      if (!isWhole(message)) this.complain(`${conversation}: ${number} is not what was sent`);
      heard.set(conversation, number);
      this.heardCount += 1;
    };
    const { os, temper } = this;
    return {
      say(message) {
        take(message);
        return temper === 'slow' ? answerSlowly(os, message) : answerTo(message);
      },
      tell: (message) => take(message),
    };
  }

  /** Talk to domain `id` until it does not answer, or it is time to rest. */
  *talkTo(id: number): Wait<void> {
    const prng = prngFor(this.seed, id);
    try {
      while (!this.isResting) {
        const { client, close } = yield* this.connect(id);
        // Now and then a channel is closed, in whatever state it is, and there is another one.
        for (let left = 1 + prng.below(20); left > 0 && !this.isResting; left--) {
          const beside = prng.below(4) === 0 ? this.converseBeside(client, prng) : undefined;
          yield* this.converse(client, prng);
          if (beside !== undefined) yield* this.os.join(beside);
          if (prng.below(3) === 0) yield* this.os.sleep(1 + prng.below(MAX_PAUSE_CYCLES));
        }
        close();
      }
    } catch (error) {
      if (!(error instanceof OsError)) throw error;
      this.dead.add(id);
    }
  }

  private *connect(id: number): Wait<{ client: TalkClient; close: () => void }> {
    const { services, scheduler } = this.os;
    const { iref } = yield* this.names.lookup({ name: `talk/${id}` });
    const transport = yield* services.connect(iref);
    const client = yield* bindClient(scheduler, transport, Talk);
    return { client, close: () => transport.close() };
  }

  /** Another conversation over the same channel at the same time. */
  private converseBeside(client: TalkClient, prng: Prng): Thread {
    const step = this.converse(client, prngFor(prng.next32(), 1));
    return this.os.spawnThread('talks beside', untilClosed(step));
  }

  /** A few messages that are not answered, as many as one likes, and one that is. */
  private *converse(client: TalkClient, prng: Prng): Wait<void> {
    this.conversationCount += 1;
    const conversation = this.id * 2 ** 20 + this.conversationCount;
    let number = 0;
    const next = (): Message => {
      number += 1;
      this.saidCount += 1;
      return createMessage(prng, conversation, number);
    };
    for (let left = prng.below(prng.below(4) === 0 ? MAX_TOLD : 3); left > 0; left--) {
      yield* client.tell(next());
    }
    const message = next();
    const answer = yield* client.say(message);
    const expected = answerTo(message);
    const isRight = answer.conversation === conversation && answer.number === number;
    if (!isRight || answer.sum !== expected.sum || !isWhole(answer)) {
      this.complain(`${conversation}: not the answer to ${number}`);
    }
  }

  private complain(what: string): void {
    if (this.problem === '') this.problem = `domain ${this.id}: ${what}`;
  }
}

export const talker = program('talker', function* (os) {
  const { iref } = yield* os.system.nameService({});
  const self = new Talker(os, yield* os.services.bind(iref, NameService));
  const threads: Thread[] = [];
  yield* os.names.serve(`talk/${self.id}`, Talk, () => self.handlers(), {
    maxActive: self.temper === 'slow' ? 1 : 16,
  });
  yield* os.names.serve(`steer/${self.id}`, Steer, {
    meet({ id }) {
      threads.push(os.spawnThread(`talks to ${id}`, self.talkTo(id)));
      return {};
    },
    *rest() {
      self.isResting = true;
      for (const thread of threads) yield* os.join(thread);
      const { problem, dead, saidCount, heardCount } = self;
      return { problem, dead: [...dead], saidCount, heardCount };
    },
  });
  if (self.temper === 'busy') yield* compute(self);
  if (self.temper === 'mortal') yield* die(self);
});

/** Who does not answer any more will be noticed by others, too. */
function* untilClosed(step: Wait<void>): Wait<void> {
  try {
    yield* step;
  } catch (error) {
    if (!(error instanceof OsError)) throw error;
  }
}

function* answerSlowly(os: Os, message: Message): Wait<Message> {
  yield* os.sleep(SLOW_CYCLES);
  return answerTo(message);
}

/** Take as much of the core as one can get. */
function* compute({ os }: Talker): Wait<void> {
  for (;;) {
    for (let i = 0; i < 100; i++) yield* os.preempt();
    yield* os.sleep(1000);
  }
}

/** After some messages: leave, or break. */
function* die(self: Talker): Wait<never> {
  const prng = prngFor(self.seed, 0);
  const life = prng.below(MAX_LIFE);
  while (self.saidCount + self.heardCount < life && !self.isResting) yield* self.os.sleep(10_000);
  if (prng.below(2) === 0) yield* self.os.exit(0);
  throw new Error('had enough');
}
