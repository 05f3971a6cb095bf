/** Where the name service listens, once there is one. */

import type { Capref, Os, Wait } from '@barreleye/libos';
import { OsError } from '@barreleye/libos';
import { Bell } from '@barreleye/rpc';
import { Err } from '@barreleye/spec';
import type { Domain } from './domain.ts';

export class NameServicePoint {
  /** The domain that is to be the name service. */
  provider: Domain | undefined;
  private readonly bell: Bell;
  private endpoint: Capref<'EndPointLMP'> | undefined;

  constructor(os: Os) {
    this.provider = undefined;
    this.bell = new Bell(os.scheduler, 'the name service');
    this.endpoint = undefined;
  }

  /** Wait until it listens, or `asker` has ended. @errors NAME_ERR_NO_SERVICE; SPAWN_ERR_ENDED */
  *get(asker: Domain): Wait<Capref<'EndPointLMP'>> {
    const hasEnded = (): boolean => this.provider?.end !== undefined;
    const isKnown = (): boolean => this.endpoint !== undefined || hasEnded();
    yield* this.bell.until(() => isKnown() || asker.end !== undefined);
    if (hasEnded()) throw new OsError(Err.NAME_ERR_NO_SERVICE);
    if (this.endpoint === undefined) throw new OsError(Err.SPAWN_ERR_ENDED);
    return this.endpoint;
  }

  /** Some domain has ended: those who wait look whether it was theirs, or themselves. */
  domainEnded(): void {
    this.bell.ring();
  }

  /** `domain` listens at `endpoint`; whether it is the one that is to, for the first time. */
  offer(domain: Domain, endpoint: Capref<'EndPointLMP'>): boolean {
    if (domain !== this.provider || this.endpoint !== undefined) return false;
    this.endpoint = endpoint;
    this.bell.ring();
    return true;
  }
}
