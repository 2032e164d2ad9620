/** A container engine that is measured. */
import { join } from 'node:path';
import type { TestImageName } from '../support/images.ts';
import type { Registry } from '../support/registry.ts';
import type { TestStore } from '../support/store.ts';
import type { Command, Outcome } from './process.ts';
import { mustRun, type Room } from './room.ts';

/** `skopeo` stands for skopeo and umoci, which only pull; `docker` is there for its networks alone. */
export type EngineName = 'tsrun' | 'podman5' | 'podman4' | 'skopeo' | 'docker';

export interface EngineSetup {
  name: EngineName;
  room: Room;
  env: Readonly<Record<string, string>>;
  /** The command line up to the engine's own words. */
  argv: readonly string[];
  /** Words of `pull` besides the reference. */
  pullWords: readonly string[];
  /** Where the runtime files of another store are; undefined when that is the engine's own affair. */
  runtimeOf?(directory: string): string;
  /** How the engine is told to use another store. */
  storeWords(directory: string, runtime: string): string[];
  registry: Registry;
}

export class Engine {
  readonly name: EngineName;
  readonly room: Room;
  /** `podman 5.4.2` */
  label = '';
  readonly #setup: EngineSetup;

  constructor(setup: EngineSetup) {
    this.name = setup.name;
    this.room = setup.room;
    this.#setup = setup;
  }

  command(...words: readonly string[]): Command {
    return { argv: [...this.#setup.argv, ...words], env: this.#setup.env };
  }

  /** Runs it; it must succeed. @throws CommandFailure */
  run(...words: readonly string[]): Promise<Outcome> {
    return mustRun(this.room, this.command(...words));
  }

  /** The image's name at the registry. */
  reference(image: string): string {
    return `${this.#setup.registry.host}/${image}`;
  }

  pull(image: string): Promise<Outcome> {
    return this.run('pull', '-q', ...this.#setup.pullWords, this.reference(image));
  }

  /** Pulls into the store `directory`, which is not there yet. */
  pullInto(directory: string, image: TestImageName): Promise<Outcome> {
    const words = ['pull', '-q', ...this.#setup.pullWords, this.reference(image)];
    const runtime = this.#setup.runtimeOf?.(directory) ?? '';
    return this.run(...this.#setup.storeWords(directory, runtime), ...words);
  }

  /** Removes a directory in which subordinate ids own files. */
  async removeStore(directory: string): Promise<void> {
    await this.run('unshare', 'chmod', '-R', 'u+rwX', directory);
    const runtime = this.#setup.runtimeOf?.(directory) ?? [];
    await this.run('unshare', 'rm', '-rf', ...[directory, runtime].flat());
  }
}

const PROGRAM = join(import.meta.dirname, '..', '..', 'dist', 'bin', 'tsrun');

/** The built tsrun, with a store of its own. */
export const tsrunEngine = (registry: Registry, store: TestStore, room: Room): Engine =>
  new Engine({
    name: 'tsrun',
    room,
    env: store.env as Record<string, string>,
    argv: [PROGRAM],
    pullWords: [],
    storeWords: (directory) => ['--root', directory],
    registry,
  });
