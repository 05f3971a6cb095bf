/**
 * Domains as people write them: `3` is domain 3 of the core that one is on, `2.3` that of core 2.
 */

/** A core, and the number of a domain on it. */
export interface DomainAddress {
  readonly core: number;
  readonly id: number;
}

/** As a shell on core `ownCore` shows it. */
export function formatAddress(ownCore: number, { core, id }: DomainAddress): string {
  return core === ownCore ? String(id) : `${core}.${id}`;
}

/** What somebody at a shell on core `ownCore` means; undefined: it is no address. */
export function parseAddress(ownCore: number, text: string): DomainAddress | undefined {
  const [, core = String(ownCore), id] = /^(?:([0-9]+)\.)?([0-9]+)$/.exec(text) ?? [];
  return id === undefined ? undefined : { core: Number(core), id: Number(id) };
}

export function isSameDomain(one: DomainAddress, other: DomainAddress): boolean {
  return one.core === other.core && one.id === other.id;
}
