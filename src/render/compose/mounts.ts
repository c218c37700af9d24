import type { DeployedMount, DeployedService } from "../../deployment/index.ts";
import { isTriton } from "../triton-repository/index.ts";
import { composeText } from "../escape/compose.ts";
import type { ComposeDraft } from "./compose-draft.ts";
import type { ComposeMount } from "./compose-file.ts";

const PROPAGATION = { None: "rprivate", HostToContainer: "rslave", Bidirectional: "rshared" } as const;

/** What a service sees of the node, Triton's rendered repository included. */
export function mountsOf(service: DeployedService, draft: ComposeDraft): readonly ComposeMount[] {
  const own = service.mounts.map((mount, index) => mountOf(mount, service, index, draft));
  const { repositoryPath } = service.place;
  if (!isTriton(service) || repositoryPath === undefined) return own;
  draft.note(
    ["services", service.name, "volumes", own.length],
    "Triton's model repository, rendered beside this file.",
  );
  return [
    ...own,
    {
      type: "bind",
      source: `./triton/${service.name}`,
      target: composeText(repositoryPath, `services.${service.name}, its model repository`),
      read_only: true,
      bind: { create_host_path: false },
    },
  ];
}

function mountOf(
  { source, at, readOnly, propagation }: DeployedMount,
  { name }: DeployedService,
  index: number,
  draft: ComposeDraft,
): ComposeMount {
  const place = `services.${name}.mounts.${index}`;
  const target = composeText(at, `${place}.at`);
  const access = readOnly ? { read_only: true } : {};
  if (source.kind === "folder")
    return {
      type: "bind",
      source: composeText(source.path, place),
      target,
      ...access,
      bind: {
        create_host_path: source.create,
        ...(propagation === undefined ? {} : { propagation: PROPAGATION[propagation] }),
      },
    };
  draft.volumes.add(source.volume);
  if (source.size !== undefined)
    draft.find({
      code: "render.not-applicable",
      severity: "note",
      path: `${place}.size`,
      message: `Docker's local volumes have no size: ${source.volume} of ${name} may grow until its disk is full.`,
      hint: "Mount a folder of a disk of its own, or leave size away.",
    });
  return {
    type: "volume",
    source: source.volume,
    target,
    ...access,
    ...(source.path === undefined ? {} : { volume: { subpath: composeText(source.path, `${place}.path`) } }),
  };
}
