import { z } from "zod";
import { saidJson, saidText } from "../said.ts";
import { driverCards, servicesHere } from "../scope.ts";
import type { Check, DoctorSubject, Finding } from "../check.ts";
import { gpuContainers } from "./gpu-containers.ts";

const ID = "containers.compat-library";
const ENVIRONMENT = z.array(z.string()).nullable();
const COMPAT = /\/cuda[^:]*\/compat\b/;
const WHY =
  "Such an image brings a libcuda of its own, which hides the host's: CUDA then finds no usable card (error 803), most of all on cards that are no data centre cards.";
const SOURCE =
  "seen with CUDA 13.0 images on Blackwell: libcuda.so.1 => /usr/local/cuda-13.0/compat/libcuda.so.1 in place of the driver's";

/** No library of an image, or of an old toolkit on the host, hides the driver's own. */
export const compatLibrary: Check = {
  id: ID,
  title: "The driver's own libcuda",
  look: async (subject) => [...(await onHost(subject)), ...(await inImages(subject))],
};

async function onHost(subject: DoctorSubject): Promise<readonly Finding[]> {
  if (driverCards(subject).length === 0) return [];
  const cache = await saidText(subject.view, ["ldconfig", "-p"]);
  const first = /libcuda\.so\.1 .*=> (\S+)/.exec(cache ?? "")?.[1];
  if (first === undefined || !COMPAT.test(first)) return [];
  return [
    {
      check: ID,
      subject: "this system",
      state: "error",
      seen: `libcuda.so.1 => ${first}`,
      wanted: "the library of the driver, under /usr/lib",
      why: WHY,
      remedy: "apt remove 'cuda-compat-*'; ldconfig",
      source: SOURCE,
    },
  ];
}

async function inImages(subject: DoctorSubject): Promise<readonly Finding[]> {
  if (!(await gpuContainers(subject))) return [];
  const images = servicesHere(subject).flatMap(({ name, image, runtime, environment }) =>
    image === undefined || runtime !== "docker" ? [] : [{ name, image, own: environment["LD_LIBRARY_PATH"] }],
  );
  const found = images.map(async ({ name, image, own }): Promise<readonly Finding[]> => {
    const argv = ["docker", "image", "inspect", "--format", "{{json .Config.Env}}", image] as const;
    const built = (await saidJson(subject.view, argv, ENVIRONMENT))?.find((line) =>
      line.startsWith("LD_LIBRARY_PATH="),
    );
    const path = typeof own === "string" ? own : built?.slice("LD_LIBRARY_PATH=".length);
    const first =
      (path ?? "").split(":").find((folder) => /compat|x86_64-linux-gnu|nvidia\/lib/.test(folder)) ?? "";
    if (!COMPAT.test(first)) return [];
    return [
      {
        check: ID,
        subject: `service ${name}`,
        state: "warning",
        seen: `${image} looks for libraries in ${first} first`,
        wanted: "the driver's libraries first",
        why: WHY,
        remedy: `services.${name}.environment.LD_LIBRARY_PATH: /usr/lib/x86_64-linux-gnu:${path ?? ""}`,
        source: SOURCE,
      },
    ];
  });
  return (await Promise.all(found)).flat();
}
