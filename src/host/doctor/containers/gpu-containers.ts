import { saidText } from "../said.ts";
import { driverCards, servicesHere, usesDocker } from "../scope.ts";
import type { DoctorSubject } from "../check.ts";
import { dockerInfo } from "./docker-info.ts";

/** Whether containers on this host are to see cards: Docker answers, cards are there, and something asks for them. */
export async function gpuContainers(subject: DoctorSubject): Promise<boolean> {
  if (!usesDocker(subject) || driverCards(subject).length === 0) return false;
  const asked =
    subject.spec === undefined ||
    servicesHere(subject).some(({ runtime, cards }) => runtime === "docker" && cards.length > 0);
  return asked && (await dockerInfo(subject.view)).answered;
}

/** Version of NVIDIA's container toolkit; nothing where it is not installed. */
export async function toolkitVersion(subject: DoctorSubject): Promise<string | undefined> {
  const text = await saidText(subject.view, ["nvidia-ctk", "--version"]);
  return text === undefined ? undefined : (/version\s+v?([\d.]+)/i.exec(text)?.[1] ?? "unknown");
}
