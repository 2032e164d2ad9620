/** What a layer may cost, by the user's configuration (limits-table.ts). Read only when something is unpacked. */
import { DEFAULT_LIMITS, type UnpackLimits } from '../image/unpack/limits.ts';
import { configured } from './user-config-path.ts';

/** The limits for this user. Throws ERR_TSRUN_CONFIG. */
export async function unpackLimits(environment: NodeJS.ProcessEnv = process.env): Promise<UnpackLimits> {
  return { ...DEFAULT_LIMITS, ...(await configured(environment)).limits };
}
