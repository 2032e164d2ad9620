/** Where a container's output is kept: what is asked for → the container's record → the supervisor's spec. */
import { accessSync, constants, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { tsrunError } from '../errors.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import { containerFiles, LOG_NAME, type StorePaths } from '../store/paths.ts';
import type { SupervisorSpec } from '../supervisor/spec.ts';
import type { LogRequest } from './request.ts';

/** A container's log never fills the disk: two files of at most so many bytes. */
const MAX_BYTES = 32 << 20;
const FILES = 2;

/** systemd-journald's, for clients that speak its native protocol. */
const JOURNAL_SOCKET = '/run/systemd/journal/socket';

type LogPart = Pick<ContainerRecord, 'logDriver' | 'logLimits' | 'logPath' | 'logTag'>;

/** @throws ERR_TSRUN_USAGE when the output could not be kept there */
export function logRecord({ driver, path, tag, ...limits }: LogRequest): LogPart {
  const part = {
    logDriver: driver,
    logLimits: limits,
    ...(path && { logPath: path }),
    ...(tag && { logTag: tag }),
  };
  refuseUnusable(part);
  return part;
}

/** @throws ERR_TSRUN_USAGE when the output could not be kept where the container's record says */
export function logSpec(record: ContainerRecord): Pick<SupervisorSpec, 'log'> {
  const { logDriver: driver, logPath, logLimits } = record;
  if (driver === 'none' || driver === 'passthrough') return {};
  refuseUnusable(record);
  return {
    log: {
      driver,
      directory: driver === 'journald' ? JOURNAL_SOCKET : logPath && dirname(logPath),
      name: logPath ? basename(logPath) : LOG_NAME,
      fields: fields(record),
      maxBytes: logLimits?.maxBytes ?? MAX_BYTES,
      files: logLimits?.files ?? FILES,
    },
  };
}

/** The file that the newest records are in; undefined when they are in none. */
export function logFile(paths: StorePaths, record: ContainerRecord): string | undefined {
  if (['none', 'passthrough', 'journald'].includes(record.logDriver)) return undefined;
  return record.logPath ?? containerFiles(paths, record.id).log;
}

function refuseUnusable({ logDriver, logPath }: LogPart): void {
  if (logDriver === 'journald' && !statSync(JOURNAL_SOCKET, { throwIfNoEntry: false })) {
    throw tsrunError('ERR_TSRUN_USAGE', {
      problem: `--log-driver journald: there is no journal on this machine (${JOURNAL_SOCKET} does not exist)`,
      hint: '--log-driver k8s-file',
    });
  }
  if (logPath !== undefined) refuseUnwritable(logPath);
}

function refuseUnwritable(path: string): void {
  try {
    accessSync(dirname(path), constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw tsrunError(
      'ERR_TSRUN_USAGE',
      {
        problem: `--log-opt path=${path}: no file can be made in ${dirname(path)}`,
        hint: `mkdir -p ${dirname(path)}`,
      },
      cause,
    );
  }
}

/** What a tag's {{.NAME}} stands for; docker's names. */
const TAG_WORDS: Record<string, (record: ContainerRecord) => string> = {
  ID: ({ id }) => id.slice(0, 12),
  FullID: ({ id }) => id,
  Name: ({ name }) => name,
  ImageID: ({ imageId }) => imageId.slice(0, 12),
  ImageFullID: ({ imageId }) => imageId,
  ImageName: ({ image }) => image,
};

/** The names that a tag may have in {{.…}}. */
export const tagNames = (): string[] => Object.keys(TAG_WORDS);

const tagOf = (record: ContainerRecord): string | undefined =>
  record.logTag?.replace(/\{\{ *\.(\w+) *\}\}/g, (all, word: string) => TAG_WORDS[word]?.(record) ?? all);

/** Of the journal the names are conmon's, of json-file docker's. */
function fields(record: ContainerRecord): string | undefined {
  const tag = tagOf(record);
  if (record.logDriver === 'json-file')
    return tag === undefined ? undefined : `"attrs":${JSON.stringify({ tag })},`;
  if (record.logDriver !== 'journald') return undefined;
  const lines = [
    `CONTAINER_ID=${record.id.slice(0, 12)}`,
    `CONTAINER_ID_FULL=${record.id}`,
    `CONTAINER_NAME=${record.name}`,
    `SYSLOG_IDENTIFIER=${tag ?? record.name}`,
    ...(tag === undefined ? [] : [`CONTAINER_TAG=${tag}`]),
  ];
  return lines.map((line) => `${line}\n`).join('');
}
