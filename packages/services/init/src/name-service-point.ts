/** Where the name service is, once there is one. */

import type { Os, Wait } from '@barreleye/libos';
import { OsError } from '@barreleye/libos';
import { Bell } from '@barreleye/rpc';
import { Err } from '@barreleye/spec';
import type { Domain } from './domain.ts';

export class NameServicePoint {
  /** The domain of this core that is to be the name service. */
  provider: Domain | undefined;
  private readonly bell: Bell;
  private known: number | undefined;

  constructor(os: Os) {
    this.provider = undefined;
    this.bell = new Bell(os.scheduler, 'the name service');
    this.known = undefined;
  }

  /** Its service reference, if it is known. */
  get iref(): number | undefined {
    return this.known;
  }

  /** Wait until it is known, or `asker` has ended. @errors NAME_ERR_NO_SERVICE; SPAWN_ERR_ENDED */
  *get(asker: Domain): Wait<number> {
    const hasEnded = (): boolean => this.provider?.end !== undefined;
    const isKnown = (): boolean => this.known !== undefined || hasEnded();
    yield* this.bell.until(() => isKnown() || asker.end !== undefined);
    if (hasEnded()) throw new OsError(Err.NAME_ERR_NO_SERVICE);
    if (this.known === undefined) throw new OsError(Err.SPAWN_ERR_ENDED);
    return this.known;
  }

  /** Some domain has ended: those who wait look whether it was theirs, or themselves. */
  domainEnded(): void {
    this.bell.ring();
  }

  /** It is there, on this core or another. */
  learn(iref: number): void {
    this.known = iref;
    this.bell.ring();
  }
}
