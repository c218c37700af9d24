/** One way that is tried from within a service's network. */
export interface ProbeTarget {
  /** `itself` shows that the probe works at all; `gateway` must be reached; nothing of the others may be. */
  readonly what: "itself" | "gateway" | "outside" | "node";
  readonly host: string;
  readonly port: number;
  /** For a person: `the hub`, `the node's sshd`. */
  readonly name: string;
}

/** What a try to connect came to. */
type Reach =
  | "connected"
  /** Somebody said no: the other end, or a filter between. */
  | "refused"
  /** The network knows no way there. */
  | "no-way"
  /** Nobody said anything. */
  | "silent";

export interface IsolationVerdict {
  /** `proven` alone is good: `unproven` says that nothing was found out. */
  readonly state: "proven" | "broken" | "unproven";
  /** What was seen, one line a way. */
  readonly lines: readonly string[];
}

/** Program of a probe: no image has to hold more than bash and timeout, and no address becomes code. */
const SCRIPT = `export LC_ALL=C
while [ $# -ge 2 ]; do
  said=$(timeout -k 1 4 bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$1" "$2" 2>&1)
  printf '%s %s\\n' "$?" "$(printf %s "$said" | tr '\\n' ' ')"
  shift 2
done`;

/** What is started within the network, as one argument list. */
export const probeScript = (targets: readonly ProbeTarget[]): readonly [string, ...string[]] => [
  "bash",
  "-c",
  SCRIPT,
  "omni-probe",
  ...targets.flatMap(({ host, port }) => [host, String(port)]),
];

/** Exit statuses of timeout: it ended the try, or had to kill it. */
const TIMED_OUT: ReadonlySet<string> = new Set(["124", "137"]);

/** What each try came to; `undefined` where the probe did not run as it should. */
export function readProbe(output: string, targets: readonly ProbeTarget[]): readonly Reach[] | undefined {
  const lines = output.trim().split("\n");
  const reached = lines.map((line): Reach | undefined => {
    const status = line.split(" ", 1)[0] ?? "";
    if (status === "0") return "connected";
    if (TIMED_OUT.has(status) || line.includes("Connection timed out")) return "silent";
    if (line.includes("Connection refused")) return "refused";
    return /Network is unreachable|No route to host/.test(line) ? "no-way" : undefined;
  });
  const known = reached.flatMap((one) => one ?? []);
  return known.length === targets.length ? known : undefined;
}

/** Ways that the same probe is tried on from outside the network, to see whether there is anybody to be kept from. */
export const CONTROL: ReadonlySet<ProbeTarget["what"]> = new Set(["outside", "node"]);

/**
 * Judges what was reached from within a service's network (`inside`) beside what the node itself reaches (`control`), both
 * in the order of the targets. That nobody answers proves a wall only where somebody would have answered.
 */
export function judgeIsolation(
  targets: readonly ProbeTarget[],
  inside: readonly Reach[],
  control: readonly (Reach | undefined)[],
): IsolationVerdict {
  const ways = targets.map((target, index) => judgeWay(target, inside[index] ?? "silent", control[index]));
  const states = ways.map(({ state }) => state);
  const shown = targets.some(({ what }, index) => CONTROL.has(what) && states[index] === "proven");
  const works = targets.some(({ what }, index) => !CONTROL.has(what) && states[index] === "proven");
  return {
    state: states.includes("broken") ? "broken" : shown && works ? "proven" : "unproven",
    lines: ways.map(({ text }) => text),
  };
}

interface WayVerdict {
  readonly state: IsolationVerdict["state"];
  readonly text: string;
}

function judgeWay(target: ProbeTarget, inside: Reach, control: Reach | undefined): WayVerdict {
  const place = `${target.name} (${target.host}:${target.port})`;
  if (!CONTROL.has(target.what)) {
    if (inside === "connected") return { state: "proven", text: `${place} is reached` };
    return target.what === "gateway"
      ? { state: "broken", text: `${place} is not reached: ${WORDS[inside]}` }
      : { state: "unproven", text: `not proven: the probe does not even reach ${place}` };
  }
  if (inside === "connected") return { state: "broken", text: `${place} IS REACHED from within` };
  if (inside === "no-way") return { state: "proven", text: `${place} is not reached: ${WORDS[inside]}` };
  if (control === "connected")
    return { state: "proven", text: `${place} is not reached: ${WORDS[inside]}; the node reaches it` };
  return {
    state: "unproven",
    text: `not proven: nobody answers at ${place}, and the node does not reach it either`,
  };
}

const WORDS: Readonly<Record<Reach, string>> = {
  connected: "connected",
  refused: "refused",
  "no-way": "there is no way",
  silent: "no answer",
};
