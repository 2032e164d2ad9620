/** One death of one command, and what must be true afterwards, whatever the command was. */
import { expect } from 'vitest';
import { damagedBlobs } from '../check-store.ts';
import { processesOfStore } from '../leaks.ts';
import { expectNoLeftovers, leftovers } from '../store.ts';
import { Tsrun } from '../tsrun.ts';
import { until } from '../until.ts';
import { type Fault, FaultBuild } from './fault-build.ts';
import type { Scenario } from './scenarios.ts';

/** A store, and a build that dies on demand, for one scenario after the other. */
export class Lane implements AsyncDisposable {
  readonly build: FaultBuild;
  readonly tsrun: Tsrun;
  #scenario: Scenario | undefined;

  private constructor(build: FaultBuild) {
    this.build = build;
    this.tsrun = new Tsrun(build.binary);
  }

  /** `like`: another lane, whose build is copied. */
  static async open(like?: Lane): Promise<Lane> {
    const lane = new Lane(like ? await like.build.copy() : await FaultBuild.make());
    try {
      await lane.tsrun.open();
    } catch (error) {
      lane.build[Symbol.dispose]();
      throw error;
    }
    return lane;
  }

  async #enter(scenario: Scenario): Promise<void> {
    if (this.#scenario === scenario) return;
    if (this.#scenario) await this.tsrun.ok('system', 'reset', '-f');
    this.#scenario = scenario;
    await scenario.setUp?.(this.tsrun);
    // Bundled images are unpacked at their first use: that is not what is looked at here.
    if (scenario.words.includes('localhost/busybox')) {
      await this.tsrun.ok('run', '--rm', '--network', 'none', 'localhost/busybox', 'true');
    }
  }

  /** How many steps `program` takes, nobody killed. */
  async countSteps(scenario: Scenario, program: Fault['program']): Promise<number> {
    const { build, tsrun } = this;
    await this.#enter(scenario);
    await scenario.prepare?.(tsrun);
    build.arm({ program, deadly: 0 }, await scenario.spare?.(tsrun));
    await tsrun.expect(scenario.status ?? 0, scenario.words);
    const steps = program === 'native' ? build.systemCalls() : build.changes().length;
    await this.#clean(scenario);
    return steps;
  }

  /** Kills at that step, and looks. @returns who died, if anybody did: the order of steps is not always the same */
  async die(scenario: Scenario, fault: Fault): Promise<string | undefined> {
    const { build, tsrun } = this;
    await this.#enter(scenario);
    await scenario.prepare?.(tsrun);
    build.arm(fault, await scenario.spare?.(tsrun));
    const killed = await tsrun.run(scenario.words);
    const death = build.death();
    build.disarm();
    try {
      await this.#look(scenario, killed);
    } catch (cause) {
      const story = `${scenario.name}, ${fault.program} ${fault.deadly}: ${death}; it ended with ${killed.status ?? killed.signal}, saying "${killed.stderr.trim()}"`;
      // So that the next one does not find it.
      await tsrun.run(['system', 'reset', '-f']);
      this.#scenario = undefined;
      throw new Error(`${story}\n${(cause as Error).message}`, { cause });
    }
    return death;
  }

  /**
   * Like die(), but somebody does. What goes on beside a command, as a supervisor's work after its STARTED, is sometimes behind when the command
   * is over: fewer steps have been taken then than were counted, and nobody has died. Then it is tried again at one of those before.
   * @throws when nobody dies at the first step either
   */
  async dieSurely(scenario: Scenario, { program, deadly }: Fault): Promise<void> {
    const before = (step: number): number => (step > 1 ? 1 + Math.floor(Math.random() * (step - 1)) : 0);
    for (let step = deadly; step > 0; step = before(step)) {
      if (await this.die(scenario, { program, deadly: step })) return;
    }
    throw new Error(`${scenario.name}: ${program} dies at none of its steps up to ${deadly}`);
  }

  async #look(scenario: Scenario, killed: Awaited<ReturnType<Tsrun['run']>>): Promise<void> {
    const { tsrun } = this;
    expect((await tsrun.expect(0, ['images'])).stderr).toBe('');
    const listed = await tsrun.expect(0, ['ps', '-a', '--format', '{{.State}}']);
    expect(listed.stderr).toBe('');
    expect(listed.stdout).toMatch(/^((created|running|exited)\n)*$/);
    expect(damagedBlobs(tsrun.store.root)).toEqual([]);
    await scenario.check?.(tsrun, killed);
    const again = await tsrun.expect(scenario.status ?? 0, scenario.words);
    expect(again.stderr).toBe('');
    await scenario.checkAgain?.(tsrun, again);
    expect((await tsrun.expect(0, ['system', 'check', '--quick'])).stdout).toMatch(/: no damage\n$/);
    await this.#clean(scenario);
  }

  /** Everything is removed, by the commands for it; then nothing is left. */
  async #clean(scenario: Scenario): Promise<void> {
    const { tsrun } = this;
    const ids = (await tsrun.ok('ps', '-aq')).split('\n').filter(Boolean);
    if (ids.length > 0) await tsrun.ok('rm', '-f', ...ids);
    await scenario.clean?.(tsrun);
    // What a killed command has left the next one removes that makes or removes a container.
    if (leftovers(tsrun.store).length > 0) await tsrun.ok('rm', '-f', 'none-of-this-name');
    await expectNoLeftovers(tsrun.store);
    const processes = () => processesOfStore(tsrun.store.directory);
    await until('no process is left', () => processes().length === 0).catch(() => {
      expect(processes()).toEqual([]);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.tsrun.close();
    } finally {
      this.build[Symbol.dispose]();
    }
  }
}

export interface Case {
  scenario: Scenario;
  fault: Fault;
}

/** The deaths of a scenario: every one, or of each program at most `limit`, spread over its steps, others each time. */
export async function casesOf(
  lane: Lane,
  scenario: Scenario,
  limit = Number.POSITIVE_INFINITY,
): Promise<Case[]> {
  const cases: Case[] = [];
  for (const program of scenario.programs) {
    const steps = await lane.countSteps(scenario, program);
    const stride = Math.max(1, steps / limit);
    for (let at = Math.random() * stride; at < steps; at += stride) {
      cases.push({ scenario, fault: { program, deadly: Math.floor(at) + 1 } });
    }
  }
  return cases;
}
