/**
 * Nominal types over plain numbers. A brand costs nothing at run time; it keeps a physical address
 * from being passed where a virtual one is meant.
 */

declare const brand: unique symbol;

/** `T` that has been proved to be a `B`. Brands intersect: a `Ptr<'Cte'>` is also a `Paddr`. */
export type Brand<T, B extends string> = T & {
  readonly [brand]: { readonly [K in B]: true };
};
