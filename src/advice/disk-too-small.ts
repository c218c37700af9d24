import { findEngineRelease } from "../catalog/index.ts";
import { formatBytes } from "../core/index.ts";
import type { Spec } from "../spec/index.ts";
import { decimal, listed } from "./format-amount.ts";
import { machineOfService } from "./hardware.ts";
import { storedBytes } from "./model-facts.ts";
import { atService, rejectionFindings } from "./rejections.ts";
import type { AdviceInput, Finding, Rule } from "./rule.ts";

type Amount = Spec["policies"]["headroom"]["disk"];

const amountOf = (wanted: Amount, whole: number): number =>
  "bytes" in wanted ? wanted.bytes : Math.round(wanted.fraction * whole);

interface Stored {
  readonly model: string;
  readonly bytes: number;
}

/** Models that are kept on a disk of the machine, with the bytes of those whose size is known. */
function modelsOn(input: AdviceInput, disk: string): readonly Stored[] {
  return Object.entries(input.spec.models).flatMap(([model, { store, source }]) => {
    if ((store?.disk ?? source.disk) !== disk) return [];
    const bytes = storedBytes(input, model);
    return bytes === undefined ? [] : [{ model, bytes }];
  });
}

function ofDisks(input: AdviceInput): readonly Finding[] {
  const { spec, plan } = input;
  const said = new Set(
    plan.rejected.filter(({ code }) => code === "disk-too-small").map(({ model }) => model),
  );
  return Object.entries(spec.machines).flatMap(([machine, { disks = {} }]) =>
    Object.entries(disks).flatMap(([name, { size, free }]) => {
      const stored = modelsOn(input, name);
      // Files that are there already are not in the free space; those of a download are yet to come.
      const coming = stored.filter(({ model }) => spec.models[model]?.source.hub !== undefined);
      const [capacity, items, word] = free === undefined ? [size, stored, "in all"] : [free, coming, "free"];
      const total = items.reduce((sum, { bytes }) => sum + bytes, 0);
      if (capacity === undefined || items.every(({ model }) => said.has(model))) return [];
      const headroom = amountOf(spec.policies.headroom.disk, size ?? capacity);
      if (total <= capacity - headroom) return [];
      const sum = items.length === 1 ? "" : ` = ${decimal(total)}`;
      return [
        {
          at: ["machines", machine, "disks", name],
          message: `${items.map(({ model, bytes }) => `${model} ${decimal(bytes)}`).join(" + ")}${sum} on ${name}, which has ${decimal(capacity)} ${word}, ${decimal(headroom)} of which stay free: ${formatBytes(total - capacity + headroom)} too much.`,
          hint: `Store ${listed(items.map(({ model }) => model))} on another disk (models.*.store.disk), or take a smaller quantization.`,
        },
      ];
    }),
  );
}

/** Container images of a machine against the space that they are unpacked in. */
function ofImages({ spec, plan }: AdviceInput): readonly Finding[] {
  const said = new Set(
    plan.rejected.filter(({ code }) => code === "disk-too-small").map(({ engine }) => engine),
  );
  const users = Map.groupBy(
    Object.values(spec.services).filter((service) => service.runtime !== "process"),
    (service) => machineOfService(spec, service),
  );
  return Object.entries(spec.machines).flatMap(([machine, { rootFree }]) => {
    const room = spec.runtime.docker.dataFree ?? rootFree;
    const engines = [...new Set((users.get(machine) ?? []).flatMap((service) => service.engine))];
    const images = engines.flatMap((name) => {
      const engine = spec.engines[name];
      const bytes =
        engine === undefined
          ? undefined
          : findEngineRelease(engine.kind, engine.version, engine.image)?.imageBytes;
      return bytes === undefined ? [] : [{ name, bytes }];
    });
    const total = images.reduce((sum, { bytes }) => sum + bytes, 0);
    if (room === undefined || total <= room || images.every(({ name }) => said.has(name))) return [];
    return [
      {
        at: ["engines", images[0]?.name ?? ""],
        message: `The image${images.length === 1 ? "" : "s"} of ${images.map(({ name, bytes }) => `${name} (${decimal(bytes)})`).join(", ")} go where ${machine} has ${decimal(room)} free: ${decimal(total - room)} too much. A pull that fills the root file system takes everything else down with it.`,
        hint: "runtime: { kind: docker, docker: { dataRoot: … } }   # on a larger disk, or a smaller image",
      },
    ];
  });
}

/** Weights or images that do not go where they are to be stored. */
export const diskTooSmall: Rule = {
  code: "disk-too-small",
  severity: "error",
  source: "Sizes of the models' files, and of published images as measured",
  find: (input) => [
    ...rejectionFindings(input, "disk-too-small", atService(input)),
    ...ofDisks(input),
    ...ofImages(input),
  ],
};
