/** Every README says what the package is and shows it at work. Examples are run by a test. */
import { findingIn, isStub, type Package } from '../package.ts';
import type { Finding } from '../source.ts';

export function readmes(packages: readonly Package[]): Finding[] {
  return packages.flatMap((pack) => {
    const { readme, manifest } = pack;
    const report = (message: string): Finding[] => [
      findingIn(pack, 'README.md', 'readme', message),
    ];
    if (!readme.startsWith(`# ${manifest.name}\n`)) return report(`does not begin with its name`);
    const isLibrary = pack.folder.startsWith('packages/');
    const isCommandShown = !isLibrary && /^```sh$/m.test(readme);
    if (example(readme) !== undefined || isCommandShown || isStub(pack)) return [];
    return report(isLibrary ? 'has no ```ts example' : 'has no example (```ts or ```sh)');
  });
}

/** The first TypeScript example of a README. */
export function example(readme: string): string | undefined {
  return /^```ts\n(.*?)^```$/ms.exec(readme)?.[1];
}
