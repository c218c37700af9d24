import { useAnswer } from "../../api/use-answer.ts";
import type { Reading } from "../../live/live-state.ts";
import { useLive } from "../../live/use-live.ts";
import { Facts } from "../../parts/facts.tsx";
import { Panel } from "../../parts/panel.tsx";
import { StackedBar } from "../../parts/stacked-bar.tsx";
import { formatBytes, percent } from "../../parts/words.ts";
import { hostTrend } from "./trend.ts";
import { TrendLine } from "../../parts/trend-line.tsx";

type Host = Reading["host"];

/** Processor, memory, swap, pressure and disks of the machine that the node runs on. */
export function HostPanel({ host }: { readonly host: Host }) {
  const { memoryTotal, memoryAvailable, swapUsed, pressure } = host;
  return (
    <Panel title="Processor, memory and disks">
      <Facts
        of={{
          "Memory in use": `${formatBytes(memoryTotal - memoryAvailable)} of ${formatBytes(memoryTotal)}`,
          "Memory available": formatBytes(memoryAvailable),
          "Swap in use": swapUsed === undefined ? undefined : formatBytes(swapUsed),
          "Waiting for the processor": waiting(pressure?.cpu),
          "Waiting for memory": waiting(pressure?.memory),
          "Waiting for disks": waiting(pressure?.io),
        }}
      />
      <HostTrends total={memoryTotal} />
      <Disks disks={host.disks} />
    </Panel>
  );
}

/** Share of the last ten seconds that some tasks, and that all tasks, had to wait. */
const waiting = (one: { readonly some: number; readonly full: number } | undefined): string | undefined =>
  one === undefined ? undefined : `${percent(one.some)} some, ${percent(one.full)} all`;

function HostTrends({ total }: { readonly total: number }) {
  const points = useAnswer("GET /api/history/host").value?.points ?? [];
  const readings = useLive((state) => state.readings);
  const used = hostTrend(
    points,
    readings,
    ({ memoryAvailable }) => (memoryAvailable === undefined ? undefined : total - memoryAvailable.average),
    (host) => host.memoryTotal - host.memoryAvailable,
  );
  const processor = hostTrend(
    points,
    readings,
    ({ cpuPressure }) => cpuPressure?.average,
    ({ pressure }) => pressure?.cpu?.some,
  );
  const disks = hostTrend(
    points,
    readings,
    ({ ioPressure }) => ioPressure?.average,
    ({ pressure }) => pressure?.io?.some,
  );
  return (
    <div className="trends">
      <TrendLine name="Memory in use" dots={used} most={total} say={formatBytes} />
      <TrendLine name="Waiting for the processor" dots={processor} most={1} say={percent} />
      <TrendLine name="Waiting for disks" dots={disks} most={1} say={percent} />
    </div>
  );
}

function Disks({ disks }: { readonly disks: Host["disks"] }) {
  return (
    <ul className="disks">
      {disks.map(({ mount, size, free }) => (
        <li key={mount}>
          <span>
            <code>{mount}</code>{" "}
            <span className="quiet">
              {formatBytes(free)} free of {formatBytes(size)}
            </span>
          </span>
          <StackedBar
            label={`Disk ${mount}, ${formatBytes(size)}`}
            total={size}
            segments={[
              { name: "in use", value: size - free, tone: "other" },
              { name: "free", value: free, tone: "free" },
            ]}
          />
        </li>
      ))}
    </ul>
  );
}
