import { useSession } from "../../app/session.ts";
import type { Service, Status } from "../../live/live-state.ts";
import { useLive } from "../../live/use-live.ts";
import { useRunningPlan } from "../../live/use-running-plan.ts";
import { Facts } from "../../parts/facts.tsx";
import { Failure } from "../../parts/failure.tsx";
import { Findings } from "../../parts/findings.tsx";
import { Legend } from "../../parts/legend.tsx";
import { Loading } from "../../parts/loading.tsx";
import { Notice } from "../../parts/notice.tsx";
import { Panel } from "../../parts/panel.tsx";
import { Time } from "../../parts/time.tsx";
import { HostPanel } from "./host-panel.tsx";
import { machinesOf } from "./machines-of.ts";
import "./node.css";
import { TONES, TONE_WORDS } from "./vessel.ts";
import type { Machine } from "./vessel.ts";
import { VesselFigure } from "./vessel-figure.tsx";

const NOBODY: readonly Service[] = [];
const NOTHING: Status["diagnostics"] = [];

/** The machine: what each device holds, as planned and as it is, and how it is. */
export function NodeView() {
  const session = useSession();
  const hardware = useLive((state) => state.hardware);
  const services = useLive((state) => state.status?.services ?? NOBODY);
  const plan = useRunningPlan();
  if (hardware === undefined) return <Loading what="the machine" />;
  const machines = machinesOf({
    plan: plan.value?.plan,
    hardware,
    node: session.node,
    simulated: session.simulated,
    services,
    measured: plan.value?.measured ?? [],
  });
  const host = hardware.reading?.host;
  return (
    <>
      <h1 className="unseen">Node</h1>
      {session.simulated && (
        <Notice tone="warning" title="The cards of this node are simulated">
          Nothing of the plan&rsquo;s machine is here: cards and engines are programs that behave as if.
          Processor, main memory and disks below are those of the machine that simulates.
        </Notice>
      )}
      <Trouble />
      {plan.error !== undefined && <Failure error={plan.error} again={plan.again} />}
      {machines.map((machine) => (
        <MachinePanel key={machine.name} machine={machine} only={machines.length === 1} />
      ))}
      {hardware.notes.length > 0 && (
        <Notice tone="note" title="How the cards are read">
          {hardware.notes.join(" ")}
        </Notice>
      )}
      {host !== undefined && <HostPanel host={host} />}
      <About />
    </>
  );
}

function MachinePanel({ machine, only }: { readonly machine: Machine; readonly only: boolean }) {
  const layers = machine.vessels.flatMap(({ planned = [], measured = [] }) => [...planned, ...measured]);
  const drawn = new Set(layers.map(({ tone }) => tone));
  const cards = machine.vessels.filter(({ kind }) => kind === "gpu").length;
  return (
    <Panel title={only ? `Memory of ${machine.name}` : machine.name}>
      {cards === 0 && (
        <p className="quiet">
          This machine has no card that Omni can use: models run on the processor, in main memory.
        </p>
      )}
      <Legend of={TONES.filter((tone) => drawn.has(tone)).map((tone) => [tone, TONE_WORDS[tone]] as const)} />
      <div className="vessels">
        {machine.vessels.map((vessel) => (
          <VesselFigure key={vessel.device} vessel={vessel} />
        ))}
      </div>
    </Panel>
  );
}

/** What the node finds wrong with itself now. */
function Trouble() {
  const found = useLive((state) => state.status?.diagnostics ?? NOTHING);
  const worth = found.filter(({ severity }) => severity !== "note");
  if (worth.length === 0) return null;
  return (
    <Panel title={worth.some(({ severity }) => severity === "error") ? "What is wrong" : "Worth knowing"}>
      <Findings of={worth} />
    </Panel>
  );
}

/** The program itself. */
function About() {
  const status = useLive((state) => state.status);
  const source = useLive((state) => state.hardware?.source);
  if (status === undefined) return null;
  return (
    <Panel title="This node">
      <Facts
        of={{
          Version: status.version,
          Address: <code>{status.url}</code>,
          Process: String(status.pid),
          Started: <Time at={status.started} />,
          "Cards are read by": source === "none" ? "nothing: there are none" : source,
        }}
      />
    </Panel>
  );
}
