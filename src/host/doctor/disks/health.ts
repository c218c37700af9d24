import { z } from "zod";
import type { Check, DoctorSubject, Finding } from "../check.ts";
import { saidJson } from "../said.ts";
import { wholeDisks } from "./disk-identity.ts";
import type { SeenDisk } from "./disk-identity.ts";

const ID = "disks.health";
const SMART = z.object({
  smartctl: z.object({ messages: z.array(z.object({ string: z.string() })).optional() }).optional(),
  smart_status: z.object({ passed: z.boolean() }).optional(),
  nvme_smart_health_information_log: z
    .object({
      critical_warning: z.number(),
      percentage_used: z.number(),
      available_spare: z.number(),
      available_spare_threshold: z.number(),
      media_errors: z.number(),
    })
    .partial()
    .optional(),
});
type Smart = z.infer<typeof SMART>;

/** What the disks say about themselves, where smartmontools is installed. */
export const diskHealth: Check = {
  id: ID,
  title: "Health of the disks",
  look: async ({ view }) => {
    const disks = wholeDisks(view).filter(({ name }) => /^(?:nvme|sd)/.test(name));
    if (disks.length === 0) return [];
    const tool = await view.said(["smartctl", "--version"]);
    if (!tool.ended)
      return [
        {
          check: ID,
          state: "note",
          seen: "smartctl is not installed, so the health of the disks is not known",
          remedy: "apt install smartmontools",
        },
      ];
    return (await Promise.all(disks.map((disk) => findingsOf(view, disk)))).flat();
  },
};

async function findingsOf(
  view: DoctorSubject["view"],
  { name, model }: SeenDisk,
): Promise<readonly Finding[]> {
  const base = { check: ID, subject: `/dev/${name}${model === undefined ? "" : ` (${model})`}` } as const;
  const smart = await saidJson(
    view,
    ["smartctl", "--json", "--health", "--attributes", `/dev/${name}`],
    SMART,
  );
  const trouble = smart === undefined ? undefined : troubleOf(smart);
  if (smart?.smart_status === undefined) {
    const said = smart?.smartctl?.messages?.[0]?.string ?? "smartctl gave no answer";
    return [{ ...base, state: "unknown", seen: said, remedy: `As root: smartctl -a /dev/${name}` }];
  }
  const worn = smart.nvme_smart_health_information_log?.percentage_used;
  if (trouble === undefined)
    return [
      { ...base, state: "ok", seen: `healthy${worn === undefined ? "" : `, ${worn} % of its writes used`}` },
    ];
  return [
    {
      ...base,
      state: smart.smart_status.passed ? "warning" : "error",
      seen: trouble,
      wanted: "a disk that reports itself healthy",
      why: "It may lose data soon; models can be fetched again, nothing else can.",
      remedy: `Copy what matters off it and replace it: smartctl -a /dev/${name}`,
    },
  ];
}

function troubleOf({
  smart_status: status,
  nvme_smart_health_information_log: log,
}: Smart): string | undefined {
  const { critical_warning: warning = 0, percentage_used: worn = 0, media_errors: errors = 0 } = log ?? {};
  const parts = [
    ...(status?.passed === false ? ["it reports that it is failing"] : []),
    ...(warning > 0 ? [`critical warning ${warning}`] : []),
    ...(worn >= 90 ? [`${worn} % of its writes used`] : []),
    ...(errors > 0 ? [`${errors} media errors`] : []),
  ];
  return parts.length === 0 ? undefined : parts.join(", ");
}
