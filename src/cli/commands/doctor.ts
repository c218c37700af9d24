import { JSON_OPTION } from "../command.ts";
import type { Command } from "../command.ts";

export const doctor: Command = {
  name: "doctor",
  summary: "Look at a host, beside what the spec asks of it.",
  positionals: [{ name: "SPEC", required: false, completes: "file" }],
  options: {
    host: {
      kind: "value",
      placeholder: "HOST",
      about: "A machine of the spec by its name, or ssh://user@host[:port].",
    },
    only: {
      kind: "value",
      placeholder: "CHECK",
      repeatable: true,
      about: "Only this check or group of checks; may be given several times.",
    },
    all: { kind: "flag", about: "Also show what is as it should be." },
    "self-test": { kind: "flag", about: "Also test that cards can be reset, which touches them." },
    fix: { kind: "flag", about: "Make the changes that do no harm, after showing them." },
    yes: { kind: "flag", about: "Make them without asking." },
    "dry-run": { kind: "flag", about: "With --fix: show the changes and make none." },
    json: JSON_OPTION,
  },
  examples: [
    ["doctor", "this machine, beside omni.yaml of this folder where there is one"],
    ["doctor omni.yaml", "the machines that a spec describes, over SSH where it says ssh:"],
    ["doctor --host ssh://root@192.168.3.10", "a machine without a spec"],
    ["doctor --only disks --only driver.answers", "some of it"],
    ["doctor --fix --dry-run", "the changes that could be made without harm"],
  ],
  run: async (invocation, terminal) =>
    (await import("../doctor/run-doctor-command.ts")).runDoctorCommand(invocation, terminal),
};
