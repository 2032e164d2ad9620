/** What docs/errors.md says about an error besides its own words: what it means, and what helps. Markdown. */
import type { ErrorCode } from '../errors.ts';

export const ERROR_NOTES: Readonly<Partial<Record<ErrorCode, string>>> = {
  ERR_TSRUN_USAGE:
    'The words of the command line are not understood, contradict each other, or ask for what tsrun does not do. Nothing was done. ' +
    'An option of docker or podman that tsrun does not have is refused by its name rather than ignored.',
  ERR_TSRUN_ROOT:
    'tsrun is for ordinary users: its store and namespaces belong to one, and nothing of it needs more. Call it as the user whose containers ' +
    'these are to be.',
  ERR_TSRUN_RUNTIME_DIRECTORY:
    'Sockets of running containers must be in a directory that nobody else can use. `$XDG_RUNTIME_DIR` is used when it is yours and has mode ' +
    '0700; after `su` it is often that of the other user. Otherwise a directory in the temporary one is used, which somebody else has made here.',
  ERR_TSRUN_NAMESPACES:
    'A container starts in a user namespace in which you are root. The cause says which system call the kernel refused. `tsrun doctor` tries ' +
    'the same, and names the setting that is in the way: `kernel.unprivileged_userns_clone`, `user.max_user_namespaces`, AppArmor’s ' +
    '`kernel.apparmor_restrict_unprivileged_userns`, `newuidmap` and `newgidmap` that are missing or have lost their privileges, or a range in ' +
    '`/etc/subuid` that is not yours.',
  ERR_TSRUN_START:
    'One of the steps that make a container failed; the message has the step’s purpose, the cause its system call. `tsrun explain run …` prints ' +
    'all steps in order.',
  ERR_TSRUN_COMMAND_NOT_FOUND:
    'The command is looked for in the container, in the directories of the PATH that the image sets, not on this machine. An image may have no ' +
    'shell. A script whose `#!` line names an interpreter that the image has not, and a program for another C library, look the same.',
  ERR_TSRUN_COMMAND_NOT_EXECUTABLE:
    'It is there, but it is a directory, has no permission to be executed for the container’s user, is on a `noexec` mount, or was built for ' +
    'another processor.',
  ERR_TSRUN_MOUNT_SOURCE:
    'tsrun makes no directories of yours: a path that is not there is more often a slip than a wish. (docker would make it, as root.)',
  ERR_TSRUN_EXIT_UNKNOWN:
    'How a container ended is recorded by its supervisor. If that is killed, or the machine loses power, nobody knows; tsrun never makes a ' +
    'status up. `tsrun ps -a` shows `Exited (unknown)`.',
  ERR_TSRUN_PORT_LOW:
    'The kernel keeps ports below `net.ipv4.ip_unprivileged_port_start`, usually 1024, for the administrator. Publish a higher one, or have ' +
    'the administrator lower that figure, which then holds for all users and programs.',
  ERR_TSRUN_LAYER_OWNER:
    'A file of the image belongs to a user whose number is beyond your subordinate ids (`/etc/subuid`, `/etc/subgid`): there is nobody on ' +
    'this machine that it could belong to. More subordinate ids help; 65536 of them are enough for nearly all images.',
  ERR_TSRUN_MISMATCH:
    'What arrived is not what was asked for: damaged on the way or on the disk, or exchanged. It was thrown away. Pulling again fetches it anew.',
  ERR_TSRUN_IMAGE_NOT_LOCAL:
    'Nothing was asked of a registry, because `--pull=never` or the command itself says so.',
  ERR_TSRUN_REGISTRY_DENIED:
    'Registries answer the same for what needs a login and for what does not exist. Logins are read from the files of podman ' +
    '(`$REGISTRY_AUTH_FILE`, `$XDG_RUNTIME_DIR/containers/auth.json`, `~/.config/containers/auth.json`) and of docker (`~/.docker/config.json`).',
};
