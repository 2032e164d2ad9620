/** The rows of all areas together; explained in ../errors.ts. Nothing may use it while modules are evaluated: bundles read it at the first error. */
import { ARCHIVE_ERRORS } from './archive.ts';
import { CONTAINER_ERRORS } from './container.ts';
import { IMAGE_ERRORS } from './image.ts';
import { MACHINE_ERRORS } from './machine.ts';
import { NETWORK_ERRORS } from './network.ts';
import { REGISTRY_ERRORS } from './registry.ts';

export const ERRORS = {
  ...MACHINE_ERRORS,
  ...CONTAINER_ERRORS,
  ...IMAGE_ERRORS,
  ...REGISTRY_ERRORS,
  ...ARCHIVE_ERRORS,
  ...NETWORK_ERRORS,
} as const;
