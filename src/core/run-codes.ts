/** Codes of running a node: engines, runtimes, watch, ladder, swap, chaos; part of the registry in `codes.ts`. */
interface Entry {
  readonly title: string;
  readonly remedy: string;
  readonly exit: 1 | 2 | 3;
}

const entry = (exit: 1 | 2 | 3, title: string, remedy: string): Entry => ({ title, remedy, exit });

export const RUN_CODES = {
  "install.missing-part": entry(
    2,
    "A part of Omni that may be left out is not installed, and something asks for it.",
    "Install it beside Omni, or install Omni without --omit=optional.",
  ),
  "gateway.tls": entry(
    2,
    "The certificate or private key of the gateway cannot be used.",
    "Check that both are PEM, belong together, and can be read by the user who runs Omni.",
  ),
  "key.exists": entry(
    2,
    "There is a key of that name already.",
    "Choose another name, or rotate the key that is there.",
  ),
  "key.last-admin": entry(
    3,
    "Nobody could change the node through its API any more: no key with admin would be in force.",
    "Make a key with admin first, or force it: ./omni keys on the node's machine makes keys without one.",
  ),
  "key.name": entry(
    2,
    "The name cannot be one of a key.",
    "Use letters, digits and . _ : / -, at most 128, a letter or digit first.",
  ),
  "key.of-spec": entry(
    2,
    "The key is one of the spec, which only the spec changes.",
    "Change it under keys: of the spec, then run ./omni reload.",
  ),
  "key.unknown": entry(2, "There is no such key.", "./omni keys list shows the keys of a node."),
  "plan.trial": entry(
    1,
    "A trial of a plan was given up.",
    "Try again, or plan the changed spec with ./omni plan; the node itself goes on.",
  ),
  "store.unreachable": entry(
    1,
    "The database that gateways share cannot be reached or does not answer.",
    "Check its address, its credentials and that it runs; a gateway goes on with what it knows.",
  ),
  "service.unknown": entry(2, "The node has no such service.", "omni status lists the services of a node."),
  "node.other-machine": entry(
    2,
    "A service belongs to another machine of the spec.",
    "Run ./omni up with the same spec on that machine; --machine NAME says which one this is.",
  ),
  "telemetry.otlp": entry(
    2,
    "Traces shall go to an address to which Omni cannot send them.",
    "Omni sends OTLP over HTTP: give the collector's HTTP address, such as http://otel-collector:4318.",
  ),
  "node.worker-failed": entry(
    1,
    "A worker process of the gateway ended before it could serve.",
    "Its own words are on the node's standard error; gateway.workers: 1 serves without workers.",
  ),
  "engine.no-image": entry(
    2,
    "The image of an engine is not there and cannot be pulled.",
    "Check the reference and the registry's access; omni render --target images shows how Omni would build it.",
  ),
  "engine.no-space": entry(
    1,
    "There is not enough free disk for what a start needs.",
    "Free the space that the message names, or move the data folder to another disk.",
  ),
  "engine.unknown-flag": entry(
    2,
    "The installed version of an engine does not know a flag that this start needs.",
    "Install the version that the message names, or take the setting out of the spec.",
  ),
  "engine.model-not-found": entry(
    2,
    "The engine did not find its model.",
    "Check the path in the spec as the engine sees it, and that the download is complete.",
  ),
  "engine.key-refused": entry(
    2,
    "A remote API does not take the key that the spec gives it, or its account is closed.",
    "Check the engine's key in the spec and the account that it belongs to.",
  ),
  "engine.core-dead": entry(
    1,
    "The engine's HTTP server answers, but what computes behind it has died.",
    "Omni restarts it; look at the log for the first failure.",
  ),
  "engine.stalled": entry(
    1,
    "The engine has work waiting and makes no progress, or does not answer a request for one token.",
    "Omni restarts it; a stall that comes back points to the card, the driver or the model.",
  ),
  "engine.wrong-answer": entry(
    1,
    "The engine answers with something that is no answer.",
    "Omni restarts it; if it comes back, check the model files and the chat template.",
  ),
  "engine.on-processor": entry(
    1,
    "The engine was given cards and computes on the processor.",
    "Check that the build has CUDA for this card and that the driver is loaded.",
  ),
  "runtime.unreachable": entry(
    1,
    "Where an engine is to run cannot be reached.",
    "Follow the message: install or start it, or let this user use it.",
  ),
  "simulation.no-board": entry(
    2,
    "A folder holds no simulated board.",
    "Start the node with --simulate, which makes one in its state folder.",
  ),
  "simulation.no-card": entry(
    2,
    "A simulated board has no such card.",
    "Use one of the UUIDs that the message lists.",
  ),
  "chaos.failed": entry(
    1,
    "A node did not come through a fault as it should.",
    "Look at ./omni events around the time of the fault, and at the engine's log.",
  ),
  "chaos.refused": entry(
    3,
    "Chaos on a running node kills engines that clients use.",
    "Add --yes to do it all the same, or leave --url out: then chaos starts a node of its own.",
  ),
  "gpu.lost": entry(
    1,
    "A card is gone: the driver does not reach it any more.",
    "Follow the recovery action in the message; its services run elsewhere until it is back.",
  ),
  "cluster.no-config": entry(
    2,
    "No usable configuration of a Kubernetes cluster was found.",
    "Set KUBECONFIG or write ~/.kube/config; kubectl config get-contexts shows what a file holds.",
  ),
  "cluster.unreachable": entry(
    1,
    "The API server of the cluster cannot be reached.",
    "Check with kubectl cluster-info that the address, the network and the certificates are right.",
  ),
  "cluster.unauthorized": entry(
    1,
    "The cluster does not take the credentials.",
    "Sign in again or renew the token or certificate; kubectl auth whoami shows whether they hold.",
  ),
  "cluster.forbidden": entry(
    2,
    "The credentials may not do in the cluster what running an engine needs.",
    "Give them the rule that the message shows, as a Role bound in that namespace.",
  ),
  "cluster.conflict": entry(
    3,
    "Another manager of the cluster owns a field that Omni would change.",
    "Let one of the two own it: take the field out there, or stop that manager from writing the object.",
  ),
  "cluster.refused": entry(
    2,
    "The cluster refused an object.",
    "Correct what the message names; kubectl apply --dry-run=server of the rendered file shows the same.",
  ),
  "workflow.unreadable": entry(
    2,
    "A workflow template of an image service cannot be read.",
    "Check the path under the service's workflows; it counts from the spec's folder.",
  ),
  "workflow.invalid": entry(
    2,
    "A workflow template of an image service is not one that images can be made with.",
    "Export it in ComfyUI with Export (API) and put placeholders such as {{prompt}} into it.",
  ),
} as const;
