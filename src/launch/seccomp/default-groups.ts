/** The table behind default-profile.ts: system calls by topic, and why each topic is allowed, conditional or refused. */
import type { ErrnoName } from '../../sys/errno.ts';
import type { Architecture } from '../../sys/syscall-numbers.ts';

export interface CallGroup {
  readonly topic: string;
  readonly why: string;
  readonly names: readonly string[];
  /** Only there. Calls that an architecture does not have at all need no mention: the compiler leaves them out. */
  readonly arch?: Architecture;
}
export interface CapabilityGroup extends CallGroup {
  readonly capability: string;
}
export interface RefusedGroup extends CallGroup {
  readonly errno: ErrnoName;
}

const words = (text: string): string[] => text.trim().split(/\s+/);

export const ALLOWED: readonly CallGroup[] = [
  {
    topic: 'read and write',
    why: 'any program: bytes through descriptors it already has',
    names:
      words(`read readv pread64 preadv preadv2 write writev pwrite64 pwritev pwritev2 lseek close close_range
      dup dup2 dup3 fcntl ioctl flock fsync fdatasync sync syncfs sync_file_range fadvise64 readahead fallocate
      ftruncate truncate sendfile splice tee copy_file_range pipe pipe2 cachestat`),
  },
  {
    topic: 'files',
    why: 'open, make, move and describe files; permissions are checked by the mount and user namespaces',
    names:
      words(`open openat openat2 creat access faccessat faccessat2 stat fstat lstat newfstatat statx statfs
      fstatfs getdents getdents64 getcwd chdir fchdir mkdir mkdirat rmdir unlink unlinkat rename renameat renameat2
      link linkat symlink symlinkat readlink readlinkat mknod mknodat umask name_to_handle_at`),
  },
  {
    topic: 'file attributes',
    why: 'owner, mode, times and extended attributes; the kernel maps ids through the user namespace',
    names:
      words(`chmod fchmod fchmodat fchmodat2 chown fchown fchownat lchown utime utimes utimensat futimesat
      getxattr lgetxattr fgetxattr setxattr lsetxattr fsetxattr listxattr llistxattr flistxattr removexattr
      lremovexattr fremovexattr getxattrat setxattrat listxattrat removexattrat file_getattr file_setattr`),
  },
  {
    topic: 'watching files',
    why: 'notification about files that the process may read',
    names: words('inotify_init inotify_init1 inotify_add_watch inotify_rm_watch fanotify_mark'),
  },
  {
    topic: 'waiting',
    why: 'event loops',
    names: words(`poll ppoll select pselect6 epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_wait
      epoll_wait_old epoll_pwait epoll_pwait2 eventfd eventfd2 signalfd signalfd4`),
  },
  {
    topic: 'asynchronous input and output',
    why: 'databases; the older interface, every request of which passes the usual checks',
    names: words('io_setup io_destroy io_submit io_cancel io_getevents io_pgetevents'),
  },
  {
    topic: 'memory',
    why: 'the process’s own address space',
    names:
      words(`brk mmap munmap mprotect mremap msync madvise mincore mlock mlock2 mlockall munlock munlockall
      remap_file_pages membarrier memfd_create memfd_secret mseal map_shadow_stack pkey_alloc pkey_free
      pkey_mprotect process_mrelease`),
  },
  {
    topic: 'processes',
    why: 'start, replace, wait for and end processes of the container’s own pid namespace',
    names:
      words(`fork vfork execve execveat exit exit_group wait4 waitid getpid getppid gettid getpgid getpgrp
      setpgid getsid setsid kill tkill tgkill pidfd_open pidfd_send_signal set_tid_address get_robust_list
      set_robust_list rseq prctl restart_syscall ptrace`),
  },
  {
    topic: 'signals',
    why: 'handlers, masks and queues of the process itself',
    names: words(`rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigqueueinfo rt_tgsigqueueinfo
      rt_sigsuspend rt_sigtimedwait sigaltstack pause alarm`),
  },
  {
    topic: 'scheduling and limits',
    why: 'priorities downwards, affinity within the cgroup, limits up to the hard ones',
    names: words(`sched_yield sched_getaffinity sched_setaffinity sched_getattr sched_setattr sched_getparam
      sched_setparam sched_getscheduler sched_setscheduler sched_get_priority_max sched_get_priority_min
      sched_rr_get_interval getpriority setpriority ioprio_get ioprio_set getcpu getrlimit setrlimit prlimit64
      getrusage times sysinfo uname`),
  },
  {
    topic: 'locks between threads',
    why: 'every thread library',
    names: words('futex futex_waitv futex_wait futex_wake futex_requeue'),
  },
  {
    topic: 'time',
    why: 'reading clocks, sleeping, timers; adjtimex also reads, and setting is refused without CAP_SYS_TIME by the kernel',
    names: words(`time gettimeofday clock_gettime clock_getres clock_nanosleep nanosleep getitimer setitimer
      timer_create timer_delete timer_getoverrun timer_gettime timer_settime timerfd_create timerfd_gettime
      timerfd_settime adjtimex clock_adjtime`),
  },
  {
    topic: 'identity',
    why: 'become another user of the container’s own user namespace, and set one’s capabilities within the bounding set',
    names: words(`getuid geteuid getgid getegid getresuid getresgid getgroups setuid setgid setreuid setregid
      setresuid setresgid setfsuid setfsgid setgroups capget capset`),
  },
  {
    topic: 'sockets',
    why: 'networking in the container’s own network namespace; socket(2) itself has rules of its own',
    names: words(`socketpair bind listen accept accept4 connect shutdown getsockname getpeername getsockopt
      setsockopt sendto sendmsg sendmmsg recvfrom recvmsg recvmmsg`),
  },
  {
    topic: 'System V and POSIX queues',
    why: 'shared memory, semaphores and messages in the container’s own ipc namespace',
    names: words(`shmget shmat shmdt shmctl semget semop semtimedop semctl msgget msgsnd msgrcv msgctl mq_open
      mq_unlink mq_timedsend mq_timedreceive mq_notify mq_getsetattr`),
  },
  {
    topic: 'self-restriction',
    why: 'a program that locks itself in further must be able to; random numbers; which security modules there are',
    names: words(`seccomp landlock_create_ruleset landlock_add_rule landlock_restrict_self getrandom
      lsm_get_self_attr lsm_list_modules`),
  },
  {
    topic: 'x86 machine state',
    why: 'thread-local storage, 16-bit segments for Wine, the landing of a traced return (uretprobe)',
    names: words('arch_prctl modify_ldt get_thread_area set_thread_area uretprobe'),
    arch: 'x64',
  },
  {
    topic: '32-bit x86: wider forms',
    why: 'what a 32-bit program calls instead of the calls above: ids of 32 bits, sizes and times of 64',
    names:
      words(`getuid32 geteuid32 getgid32 getegid32 getresuid32 getresgid32 getgroups32 setuid32 setgid32 setreuid32
      setregid32 setresuid32 setresgid32 setgroups32 setfsuid32 setfsgid32 chown32 fchown32 lchown32 mmap2 _llseek
      fcntl64 stat64 lstat64 fstat64 fstatat64 statfs64 fstatfs64 truncate64 ftruncate64 sendfile64 fadvise64_64
      clock_gettime64 clock_getres_time64 clock_nanosleep_time64 clock_adjtime64 futex_time64 ppoll_time64
      pselect6_time64 recvmmsg_time64 rt_sigtimedwait_time64 sched_rr_get_interval_time64 semtimedop_time64
      mq_timedsend_time64 mq_timedreceive_time64 timer_gettime64 timer_settime64 timerfd_gettime64
      timerfd_settime64 utimensat_time64 io_pgetevents_time64`),
    arch: 'x64',
  },
  {
    topic: '32-bit x86: older forms',
    why: 'its C libraries still begin with them; socketcall and ipc pass arguments in memory, so what `socket` refuses is let through here',
    names: words(`socketcall ipc _newselect ugetrlimit waitpid readdir nice signal sigaction sigpending
      sigprocmask sigreturn sigsuspend`),
    arch: 'x64',
  },
];

/** Allowed to a container that has the capability, EPERM to others. The kernel checks it again, in the container's user namespace. */
export const WITH_CAPABILITY: readonly CapabilityGroup[] = [
  {
    capability: 'CAP_SYS_ADMIN',
    topic: 'administration of the container’s own namespaces',
    why: 'mounts, host name, quotas, new namespaces: much kernel code for whoever is root in a user namespace',
    names:
      words(`mount umount2 pivot_root mount_setattr move_mount open_tree open_tree_attr fsopen fsconfig fsmount
      fspick statmount listmount listns unshare setns sethostname setdomainname quotactl quotactl_fd fanotify_init
      lookup_dcookie bpf perf_event_open syslog`),
  },
  { capability: 'CAP_BPF', topic: 'BPF', why: 'loads programs into the kernel', names: ['bpf'] },
  { capability: 'CAP_PERFMON', topic: 'profiling', why: 'observes the kernel', names: ['perf_event_open'] },
  { capability: 'CAP_SYSLOG', topic: 'kernel log', why: 'holds other users’ messages', names: ['syslog'] },
  { capability: 'CAP_SYS_CHROOT', topic: 'chroot', why: 'sshd, package tools', names: ['chroot'] },
  {
    capability: 'CAP_SYS_PTRACE',
    topic: 'other processes',
    why: 'debuggers: memory and descriptors of another process. ptrace itself is checked well since Linux 4.8',
    names: words('process_vm_readv process_vm_writev process_madvise pidfd_getfd kcmp'),
  },
  {
    capability: 'CAP_SYS_TIME',
    topic: 'clocks',
    why: 'the machine’s clock belongs to no namespace',
    names: words('settimeofday clock_settime clock_settime64 stime'),
  },
  {
    capability: 'CAP_SYS_NICE',
    topic: 'NUMA placement',
    why: 'where memory lies tells of, and disturbs, other users',
    names: words('get_mempolicy set_mempolicy set_mempolicy_home_node mbind migrate_pages move_pages'),
  },
  {
    capability: 'CAP_DAC_READ_SEARCH',
    topic: 'files by handle',
    why: 'opens any file of the file system past its directories (the "shocker" escape)',
    names: ['open_by_handle_at'],
  },
  {
    capability: 'CAP_SYS_MODULE',
    topic: 'kernel modules',
    why: 'code in the kernel',
    names: words('init_module finit_module delete_module'),
  },
  { capability: 'CAP_SYS_PACCT', topic: 'accounting', why: 'machine-wide', names: ['acct'] },
  { capability: 'CAP_SYS_RAWIO', topic: 'I/O ports', why: 'hardware', names: words('ioperm iopl') },
  { capability: 'CAP_SYS_TTY_CONFIG', topic: 'hang up', why: 'takes terminals away', names: ['vhangup'] },
  {
    capability: 'CAP_SYS_BOOT',
    topic: 'reboot',
    why: 'in a pid namespace it ends the container',
    names: ['reboot'],
  },
];

export const REFUSED: readonly RefusedGroup[] = [
  {
    topic: 'keyrings',
    why: 'keys belong to no namespace, and a container has no session keyring of its own here: it would see its user’s',
    errno: 'EPERM',
    names: words('add_key request_key keyctl'),
  },
  {
    topic: 'io_uring',
    why: 'performs calls that this filter then does not see, and has had many holes; ENOSYS, so that programs use epoll instead',
    errno: 'ENOSYS',
    names: words('io_uring_setup io_uring_enter io_uring_register'),
  },
  {
    topic: 'page faults in user space',
    why: 'stops the kernel in the middle of its work: what exploits of races are made with',
    errno: 'EPERM',
    names: words('userfaultfd vmsplice'),
  },
  {
    topic: 'the machine',
    why: 'another kernel, swap: nothing that a container could ever be allowed',
    errno: 'EPERM',
    names: words('kexec_load kexec_file_load swapon swapoff'),
  },
  {
    topic: 'security attributes',
    why: 'would change the label that confines the container',
    errno: 'EPERM',
    names: ['lsm_set_self_attr'],
  },
  {
    topic: 'obsolete',
    why: 'most are gone from the kernel, which answers the same',
    errno: 'ENOSYS',
    names: words(`uselib ustat sysfs nfsservctl create_module query_module get_kernel_syms _sysctl uprobe`),
  },
];
