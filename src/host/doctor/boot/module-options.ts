import { existsSync } from "node:fs";
import { readText } from "../../../inventory/cgroup.ts";
import type { Check, Finding } from "../check.ts";
import {
  canonicalModule,
  configuredBootLines,
  hostParts,
  parseArguments,
  readModprobeFiles,
} from "../facts/index.ts";
import type { HostParts } from "../facts/host-parts.ts";

const ID = "boot.module-options";

/** An option that a module should have been loaded with. */
interface Wanted {
  readonly module: string;
  readonly name: string;
  readonly value: string;
  readonly path: string;
}

/** Options of modules: what the loaded module has, and what it gets at the next boot. */
export const moduleOptions: Check = {
  id: ID,
  title: "Module options",
  async look(subject): Promise<readonly Finding[]> {
    const parts = hostParts(subject);
    if (parts === undefined) return [];
    const { root } = subject.view;
    const wanted = wantedOptions(parts);
    if (wanted.length > 0 && !existsSync(`${root}etc/modprobe.d`))
      return [{ check: ID, state: "unknown", seen: "/etc/modprobe.d is not to be seen here" }];
    const files = readModprobeFiles(root);
    const lines = await configuredBootLines(subject.view);
    const words =
      lines.length === 0
        ? parseArguments(readText(`${root}proc/cmdline`))
        : lines.flatMap(({ words = [] }) => words);
    const written = [
      ...files.options.flatMap(({ module, options }) => options.map((option) => `${module}.${option}`)),
      ...words.map(canonicalModule),
    ];
    return wanted.map((option) => judge(root, option, written));
  },
};

/** Of boot.modules, and that cards held by vfio-pci stay awake wherever cards are handed over. */
function wantedOptions({ host, bind }: HostParts): readonly Wanted[] {
  const typed = Object.entries(host.boot?.modules ?? {}).flatMap(([module, options]) =>
    options.map((option) => {
      const [name = "", ...value] = option.split("=");
      return {
        module: canonicalModule(module),
        name: canonicalModule(name),
        value: value.join("=") || "1",
        path: `machines.${host.name}.boot.modules.${module}`,
      };
    }),
  );
  const asleep = "disable_idle_d3";
  if (bind === undefined || typed.some(({ name }) => name === asleep)) return typed;
  return [
    ...typed,
    { module: "vfio_pci", name: asleep, value: "1", path: `machines.${host.name}.passthrough` },
  ];
}

function judge(root: string, { module, name, value, path }: Wanted, written: readonly string[]): Finding {
  const option = `${module}.${name}=${value}`;
  const about = { check: ID, subject: `${module} ${name}`, path } as const;
  const loaded = existsSync(`${root}sys/module/${module}`);
  const now = readText(`${root}sys/module/${module}/parameters/${name}`).trim();
  const configured = written.includes(option);
  // Parameters without a file in sysfs (vfio_pci.ids) cannot be read back.
  const holds = now === "" ? undefined : sameValue(now, value);
  if (configured && holds !== false)
    return {
      ...about,
      state: "ok",
      seen: loaded
        ? `${name} is ${now === "" ? "set and cannot be read back" : now}`
        : `${option} is configured; ${module} is not loaded`,
    };
  if (holds === true)
    return {
      ...about,
      state: "warning",
      seen: `${name} is ${now} now, and neither modprobe.d nor the boot line has it`,
      wanted: option,
      why: "It is lost at the next boot.",
      remedy: "./omni apply --to metal   # writes modprobe.d and the initramfs",
    };
  const why =
    name === "disable_idle_d3"
      ? "A card that vfio-pci holds falls asleep, and some (Blackwell among them) do not come back from D3."
      : "The module works with its own default instead.";
  return {
    ...about,
    state: "error",
    seen: configured
      ? `${name} is ${now}; ${option} is configured and not in effect`
      : `${name} is ${loaded ? now || "not set" : `not configured, and ${module} is not loaded`}`,
    wanted: option,
    why,
    remedy: configured
      ? "update-initramfs -u -k all   # then reboot"
      : "./omni apply --to metal   # writes modprobe.d and the initramfs; then reboot",
  };
}

/** A bool reads Y or N, however it was written. */
const sameValue = (now: string, wanted: string): boolean =>
  now === wanted || boolOf(now) === (boolOf(wanted) ?? "");

const boolOf = (text: string): string | undefined =>
  /^(?:Y|y|1|on)$/.test(text) ? "Y" : /^(?:N|n|0|off)$/.test(text) ? "N" : undefined;
