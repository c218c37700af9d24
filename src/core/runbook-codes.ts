/** Codes of applying a spec: steps, consent, journal, measuring; part of the registry in `codes.ts`. */
interface Entry {
  readonly title: string;
  readonly remedy: string;
  readonly exit: 1 | 2 | 3;
}

const entry = (exit: 1 | 2 | 3, title: string, remedy: string): Entry => ({ title, remedy, exit });

export const RUNBOOK_CODES = {
  "runbook.running": entry(
    3,
    "Another run is at work on this node.",
    "Wait for it, or end its process; ./omni apply --report shows how far it is.",
  ),
  "runbook.consent": entry(
    3,
    "A step could destroy data or cut somebody off, and nobody agreed to it.",
    "Read what it would do, then add the --consent option that the message names.",
  ),
  "runbook.step-failed": entry(
    1,
    "A step of the runbook failed.",
    "Its last words stand in the message; mend the cause and run ./omni apply again: it goes on from there.",
  ),
  "runbook.order-cycle": entry(
    2,
    "Steps wait for each other in a circle.",
    "Take one of the names out of its list under runbook.order.",
  ),
  "runbook.unknown-step": entry(
    2,
    "A step is named that the runbook does not have.",
    "Use the name shown; ./omni apply --dry-run lists all steps.",
  ),
  "runbook.journal": entry(
    1,
    "The journal of the runbook cannot be written, so nothing more is done.",
    "Free space on the disk of the state folder, or set OMNI_STATE to a folder that can be written; then run it again.",
  ),
  "runbook.not-there": entry(
    1,
    "A step did its work, and what it brings about is not there all the same.",
    "Look at what is missing and at the commands of the step: ./omni apply --report.",
  ),
  "runbook.timeout": entry(
    1,
    "A step took longer than it may.",
    "Look at what it waited for: ./omni apply --report; run ./omni apply again to go on.",
  ),
  "runbook.stuck": entry(
    1,
    "A step was told to stop and did not.",
    "Look for its program on the host that the step names and end it before the next run.",
  ),
  "runbook.no-run": entry(
    2,
    "There is no earlier run to go on with or to report on.",
    "Run ./omni apply without the option.",
  ),
  "runbook.interrupted": entry(
    1,
    "The run was interrupted.",
    "Run ./omni apply again: what is done stays done, and it goes on from there.",
  ),
  "runbook.declined": entry(
    3,
    "Nobody agreed to the plan of steps, so nothing was done.",
    "Read the plan, then add --yes.",
  ),
  "acceptance.no-server": entry(
    1,
    "Nothing answers at the address that is measured.",
    "Start the node or engine, or correct --url.",
  ),
  "acceptance.refused": entry(
    1,
    "The server refused a request of a measurement.",
    "Check the name of the route or model and the key: OMNI_KEY or --key-file.",
  ),
  "acceptance.cut": entry(
    1,
    "An answer broke off while it was measured.",
    "Look at ./omni events and the engine's log.",
  ),
  "acceptance.bad-answer": entry(
    1,
    "A server answered something that is no answer of the dialect, or empty.",
    "Check that the address is that of an OpenAI-compatible server.",
  ),
  "acceptance.failed": entry(
    1,
    "What was deployed does not do what it should.",
    "The message says what was measured; ./omni events and the engine's log say why.",
  ),
  "image.no-builder": entry(
    1,
    "The program that builds or keeps images does not answer.",
    "Start or install Docker or buildah on the machine that the message names.",
  ),
  "image.no-recipe": entry(
    2,
    "There is nothing that an image could be built from.",
    "Name a Dockerfile under engines.NAME.build, or a published image.",
  ),
  "image.no-space": entry(
    1,
    "The machine that builds or keeps an image has not enough disk for it.",
    "docker system df shows what is there; docker builder prune and docker image prune free what nothing needs.",
  ),
  "image.build-failed": entry(
    1,
    "An instruction of an image's recipe failed.",
    "The instruction and its last words stand in the message, all of them in the log that it names.",
  ),
  "image.push-failed": entry(
    1,
    "An image is built and checked, but the registry did not take it whole.",
    "Run ./omni apply again when the registry answers: nothing is built again, and what arrived is not sent twice.",
  ),
  "service.no-compose": entry(
    1,
    "Docker Compose is not installed on the machine of a service.",
    "Install docker-compose-plugin (docker.com) or docker-compose (Debian, Ubuntu).",
  ),
  "service.unhealthy": entry(
    1,
    "A service was started and does not serve.",
    "Its last words stand in the message and usually hold the reason.",
  ),
  "service.not-running": entry(
    1,
    "The node of this spec does not run, and nothing here starts it by itself.",
    "Type: ./omni up",
  ),
  "guest.image-factory": entry(
    1,
    "The factory of Talos images does not answer, or not as it should.",
    "Look at guest.talos.factory and at the way out of this network; an image that is there already needs no factory.",
  ),
} as const;
