import { shellCommand, shellWord } from "../../../render/escape/shell.ts";
import type { HostCommand } from "../transport.ts";

/** What a host's shell is told, in two parts. */
export interface RemoteShell {
  /** One command of the login shell, whichever that is: it reads so many lines of its input and does what they say. */
  readonly command: string;
  /** Those lines: environment and words of a program never stand in the host's list of processes. */
  readonly lines: string;
}

/**
 * Reads N lines and evaluates them; what follows them in the input is left to the program, because a shell reads byte by
 * byte (POSIX `read`). An input that ends before all of them runs nothing. Without a single quote, a line break or an
 * exclamation mark, so that any login shell takes it as one word.
 */
const READER =
  'n=$1; s=; b=$(printf "\\n_"); b=${b%_}; while [ "$n" -gt 0 ]; do IFS= read -r l || exit 255; s=$s$l$b; n=$((n-1)); done; unset n l b; eval "$s"';

/**
 * Runs a program in a session of its own. Its first line on both streams is `mark`, which the noise of a login shell stands
 * before; on the second one its process id follows, or why it was not started.
 */
export function remoteShell({ argv, cwd, environment = {} }: HostCommand, mark: string): RemoteShell {
  const [program] = argv;
  const say = (state: string): string => `printf '%s\\n' ${mark}; printf '%s\\n' "${mark} ${state}" >&2`;
  const stop = (state: string, status: number): string => `{ ${say(state)}; exit ${status}; }`;
  const text = [
    ...(cwd === undefined
      ? []
      : [`CDPATH= cd -- ${shellWord(cwd)} >/dev/null 2>&1 || ${stop("folder", 126)}`]),
    ...Object.entries(environment).map(([name, value]) => `export ${variable(name)}=${shellWord(value)}`),
    `omni_p=$(command -v ${shellWord(program)}) || ${stop("absent", 127)}`,
    // A word with a slash in it is taken as it stands by some shells.
    `case $omni_p in */*) [ -e "$omni_p" ] || ${stop("absent", 127)}; if [ -d "$omni_p" ] || [ ! -x "$omni_p" ]; then ${stop("unfit", 126)}; fi ;; esac`,
    // sshd gives each command a session; a login shell that forks takes it away again.
    "omni_s=; { read -r omni_a omni_a omni_a omni_a omni_g omni_a </proc/$$/stat; } 2>/dev/null",
    '[ "${omni_g-$$}" = $$ ] || { command -v setsid >/dev/null && omni_s=setsid; }',
    say("$$"),
    `exec $omni_s ${shellCommand(argv)}`,
  ]

    .join("\n");
  return { command: `exec sh -c '${READER}' sh ${text.split("\n").length}`, lines: `${text}\n` };
}

/** Kills a program that was started so, and all it started. */
export const killCommand = (pid: number): string =>
  `exec sh -c 'kill -s KILL -- -${pid} || kill -s KILL ${pid}'`;

function variable(name: string): string {
  if (!/^[A-Za-z_]\w*$/.test(name)) throw new TypeError(`${name} is no name of an environment variable`);
  return name;
}
